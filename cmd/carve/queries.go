package main

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/ui"
)

// maxQueryFlags is the maximum number of -q; more are better kept in a file.
const maxQueryFlags = 64

// queryOptions are the flags of the queries.
type queryOptions struct {
	queries   []string
	queryFile string

	jobQueries []car.Query // of a job file, in place of queries
}

func (o *queryOptions) addFlags(fs *pflag.FlagSet) {
	fs.StringArrayVarP(&o.queries, "query", "q", nil, "what to segment, as NAME or LABEL=PHRASE|PHRASE (repeatable)")
	fs.StringVar(&o.queryFile, "queries", "", "file with more queries: one per line, or YAML")
}

func (o *queryOptions) check() error {
	if len(o.queries)+len(o.jobQueries) == 0 && o.queryFile == "" {
		return ui.WithHint(ui.Usagef("no query"), "name what to segment with -q, for example -q dog")
	}
	return nil
}

// readQueries collects the queries of the command line and of the file.
func (o *queryOptions) readQueries(log *slog.Logger) ([]car.Query, error) {
	queries := slices.Clone(o.jobQueries)
	if n := len(o.queries); n > maxQueryFlags {
		return nil, ui.WithHint(ui.Usagef("-q is given %d times; %d at most", n, maxQueryFlags),
			fmt.Sprintf("write them to a file, one per line, up to %d, and name it with --queries", car.MaxQueryLines))
	}
	for _, s := range o.queries {
		q, err := car.ParseQuery(s)
		if err != nil {
			return nil, ui.WithHint(ui.UsageError{Err: err}, `a query is NAME or LABEL=PHRASE|PHRASE, for example -q "pup=puppy|small dog"`)
		}
		if names := strings.FieldsFunc(s, func(r rune) bool { return r == ',' }); len(names) > 1 && !strings.ContainsAny(s, "=|") {
			log.Warn(fmt.Sprintf("%q is one query; for several queries use several -q: %s", s, severalQueries(names)))
		}
		queries = append(queries, q)
	}
	if o.queryFile != "" {
		const form = "one query per line, or a YAML list of entries with label, phrases, background, theta, presence, colour"
		f, err := openText("queries", o.queryFile, "--queries names a file: "+form)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		more, err := car.ReadQueries(f, o.queryFile)
		if err != nil {
			return nil, textFileError(err, form)
		}
		queries = append(queries, more...)
	}
	if err := car.CheckQueries(queries); err != nil {
		return nil, ui.UsageError{Err: err}
	}
	return queries, nil
}

// severalQueries returns the flags that query each name separately.
func severalQueries(names []string) string {
	var words []string
	for _, n := range names {
		if n = ui.OneLine(n); n != "" {
			words = append(words, "-q "+ui.ShellQuote(n))
		}
	}
	return strings.Join(words, " ")
}

// queryColours returns the colour of each query.
func queryColours(queries []car.Query) ([][3]uint8, error) {
	colours, err := carve.Colours(queries)
	if err != nil {
		return nil, ui.WithHint(ui.UsageError{Err: err}, `write "#0072b2" or a name such as "orange"`)
	}
	return colours, nil
}
