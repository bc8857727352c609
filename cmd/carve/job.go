package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/carve-video/carve/internal/jobfile"
	"github.com/carve-video/carve/internal/outputspec"
	"github.com/carve-video/carve/internal/plaintext"
	"github.com/carve-video/carve/internal/spelling"
	"github.com/carve-video/carve/internal/ui"
)

// jobOptions are the flags of job files.
type jobOptions struct {
	job     string
	saveJob string
}

func (o *jobOptions) addFlags(fs *pflag.FlagSet) {
	fs.Var((*once)(&o.job), "job", "job file to run: input, queries, outputs and settings in YAML; flags on the command line take precedence; - is stdin")
	fs.Var((*once)(&o.saveJob), "save-job", "job file (.yaml) to write for this command line, which is checked but not run; - is stdout")
}

// A jobFile is the job file of a run.
type jobFile struct {
	*jobfile.Job
	folder  string         // with a separator at its end: relative paths begin there; may be empty
	applied map[string]int // the lines of the settings that no flag of the command line replaces
}

// notInJobs are the flags that are not settings of a job, and why. A job file may come from
// another person, so it permits nothing: permission is given on the command line.
var notInJobs = map[string]string{
	"input":           "input is a key of the job, beside settings",
	"query":           "queries are a key of the job, beside settings",
	"output":          "outputs are a key of the job, beside settings",
	"overwrite":       "give -y on the command line: a job does not permit to replace files",
	"yes":             "give --yes on the command line: a job does not permit downloads",
	"allow-playlists": "give --allow-playlists on the command line: a job does not permit other files to be read",
	"log-format":      "give --log-format on the command line: it is the form of errors in the job, too",
	"job":             "a job does not name another",
	"save-job":        "a job does not name another",
	helpAll:           "carve --help-all lists the flags",
}

const jobHint = "--save-job FILE writes one for a command line"

// applyJob reads the job file, if there is one, and sets what the command line does not.
// A flag of the command line takes the place of all values that the file has for it. -q
// and --queries take the place of all queries, and -o of all outputs.
func (o *segmentOptions) applyJob(fs *pflag.FlagSet) error {
	if o.job == "" {
		return nil
	}
	if o.job == "-" {
		o.job = stdinPath
	}
	j, err := readJobFile(o.job)
	if err != nil {
		return err
	}
	// What the command line replaces is checked as well: a job is right or wrong by itself.
	alone := new(segmentOptions)
	if err := alone.take(j, newSegmentFlags(alone)); err != nil {
		return err
	}
	if _, err := j.outputs(alone.outputKinds()); err != nil {
		return err
	}
	return o.take(j, fs)
}

// readJobFile reads a job file.
func readJobFile(path string) (*jobFile, error) {
	f, err := openText("a job", path, jobHint)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := plaintext.ReadAll(f, jobfile.Limit)
	if err != nil {
		return nil, textFileError(fmt.Errorf("reading a job from %s: %w", path, err), jobHint)
	}
	job, err := jobfile.Parse(data, path)
	if err != nil {
		return nil, ui.WithHint(ui.UsageError{Err: err}, ui.OwnHint(err))
	}
	j := &jobFile{Job: job, applied: make(map[string]int)}
	// Paths of a job from a pipe begin in the current folder.
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		if j.folder, _ = filepath.Split(path); j.folder == "."+string(filepath.Separator) {
			j.folder = ""
		}
	}
	return j, nil
}

// take sets what the flags do not.
func (o *segmentOptions) take(j *jobFile, fs *pflag.FlagSet) error {
	o.fromJob = j
	clear(j.applied)
	if !fs.Changed("input") && j.Input != "" {
		if err := fs.Set("input", j.path(j.Input)); err != nil {
			return err
		}
	}
	queries := fs.Changed("query") || fs.Changed("queries")
	if !queries {
		o.jobQueries = j.Queries
	}
	for _, s := range j.Settings {
		f := fs.Lookup(s.Name)
		if f == nil || notInJobs[s.Name] != "" {
			return j.usage(s.Line, fmt.Errorf("%s is not a setting of a job", s.Name), settingHint(fs, s.Name))
		}
		if f.Changed || s.Name == "queries" && queries {
			continue
		}
		if err := j.set(fs, f, s); err != nil {
			return err
		}
		j.applied[s.Name] = s.Line
	}
	return nil
}

// settingHint says what to write in place of an unknown setting.
func settingHint(fs *pflag.FlagSet, name string) string {
	if why := notInJobs[name]; why != "" {
		return why
	}
	var known []string
	fs.VisitAll(func(f *pflag.Flag) {
		if notInJobs[f.Name] == "" {
			known = append(known, f.Name)
		}
	})
	const all = "settings are the long names of flags, which carve --help-all lists"
	if near, ok := spelling.Nearest(name, known); ok {
		return fmt.Sprintf("did you mean %s? %s", near, all)
	}
	return all
}

// set sets a flag to the value of a setting.
func (j *jobFile) set(fs *pflag.FlagSet, f *pflag.Flag, s jobfile.Entry) error {
	if _, repeatable := f.Value.(pflag.SliceValue); s.List && !repeatable {
		return j.usage(s.Line, fmt.Errorf("%s is a list; it has one value", s.Name), "")
	}
	for _, text := range s.Values {
		if namesFile(s.Name, text) {
			text = j.path(text)
		}
		if f.Value.Type() == "bool" {
			text = truth(text)
		}
		if err := fs.Set(s.Name, text); err != nil {
			var invalid *pflag.InvalidValueError
			if errors.As(err, &invalid) {
				err = invalid.Unwrap()
			}
			subject := s.Name
			if !strings.Contains(err.Error(), text) {
				subject = fmt.Sprintf("%s is %q", s.Name, text)
			}
			return j.usage(s.Line, fmt.Errorf("%s: %w", subject, err), "")
		}
	}
	return nil
}

// truth returns the word of pflag for a word of YAML and of outputs.
func truth(text string) string {
	switch strings.ToLower(text) {
	case "yes", "on":
		return "true"
	case "no", "off":
		return "false"
	}
	return text
}

// outputs returns the outputs of the job, with their keys set.
func (j *jobFile) outputs(kinds []outputspec.Kind) (outs []output, err error) {
	for _, entry := range j.Outputs {
		var out output
		if entry.Text != "" || len(entry.Entries) == 0 {
			out, err = parseOutput(entry.Text, kinds)
		} else {
			out, err = j.output(entry, kinds)
		}
		if err != nil {
			return nil, j.lined(entry.Line, err)
		}
		out.Path, out.line = j.path(out.Path), entry.Line
		outs = append(outs, out)
	}
	return outs, nil
}

// output returns an output that is written as a mapping. The first key that is a kind has
// the path as its value, all others are keys of the kind.
func (j *jobFile) output(entry jobfile.Output, kinds []outputspec.Kind) (output, error) {
	var names, keys []string
	for _, k := range kinds {
		names = append(names, k.Name)
	}
	for _, e := range entry.Entries {
		keys = append(keys, e.Name)
	}
	at := slices.IndexFunc(keys, func(k string) bool { return slices.Contains(names, k) })
	if at < 0 {
		return output{}, ui.WithHint(ui.Usagef("an output has no kind"), ui.DidYouMean(keys[0], names, "it begins with one, as in "+names[0]+": PATH; the kinds are "+strings.Join(names, ", ")))
	}
	path := entry.Entries[at]
	if path.List || path.Values[0] == "" {
		return output{}, j.usage(path.Line, fmt.Errorf("%s is one path", path.Name), "")
	}
	spec := kinds[slices.Index(names, path.Name)].Begin(path.Values[0])
	for i, e := range entry.Entries {
		if i == at {
			continue
		}
		for _, value := range e.Values {
			if err := spec.Set(e.Name, value); err != nil {
				return output{}, j.usage(e.Line, err, keyHint(err, spec.Kind))
			}
		}
	}
	return checkedOutput(spec, path.Values[0])
}

// usage returns a usage error in a line of the file.
func (j *jobFile) usage(line int, err error, hint string) error {
	return ui.WithHint(ui.UsageError{Err: j.At(line, err, "")}, hint)
}

// lined puts a line of the file before an error that does not have one.
func (j *jobFile) lined(line int, err error) error {
	if located := (*jobfile.Error)(nil); line == 0 || errors.As(err, &located) {
		return err
	}
	return j.usage(line, err, ui.Hint(err))
}

// flagSubject finds the flag that an error is about.
var flagSubject = regexp.MustCompile(`^--([a-z-]+)[ :]`)

// located puts the line of a setting before a usage error about its flag.
func (j *jobFile) located(err error) error {
	var usage ui.UsageError
	if j == nil || !errors.As(err, &usage) {
		return err
	}
	if m := flagSubject.FindStringSubmatch(err.Error()); m != nil {
		return j.lined(j.applied[m[1]], err)
	}
	return err
}
