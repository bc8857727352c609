package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/outputspec"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/video"
)

// An output is one -o of a command line. A kind of output is a type of keys, in a file
// kind_NAME.go.
type output struct {
	outputspec.Spec
	keys outputKeys
	line int // of the job file that it is from, or 0
}

// outputKeys are the keys of one output, and what is made of them.
type outputKeys interface {
	// check finds what is wrong with the keys and the path alone.
	check(path string) error
	// concepts are the labels of the queries that the output is for; none is all.
	concepts() []string
	// sink makes the sink.
	sink(path string, in *input) carve.Sink
}

// An encodedOutput is the keys of an output that [video.Sink] writes.
type encodedOutput interface{ encoding(path string) encoding }

// A resizedOutput is the keys of an encoded output whose frames may have another size than the
// source's.
type resizedOutput interface {
	coded(source video.Coded) video.Coded
}

// A folderOutput is the keys of an output that has a folder for itself.
type folderOutput interface {
	// folder returns the folder, or "" if it is not known yet.
	folder(path string) string
}

// A pictureOutput is the keys of an output that keeps pictures until the end.
type pictureOutput interface {
	// bytes returns how much memory they take, for frames of w×h and so many queries.
	bytes(w, h, queries int) int64
}

// Methods of sinks that the program uses.
type (
	trier interface {
		Try(ctx context.Context, s *carve.Stream) error
	}
	losing interface{ Lost() []video.Loss }
)

// outputKinds are the kinds of outputs, with these options as defaults. Outputs without a
// kind are of the first.
func (o *outputOptions) outputKinds() []outputspec.Kind {
	return []outputspec.Kind{o.overlayKind(), masksKind(), o.matteKind(), sheetKind(), stripKind()}
}

// parseOutputs parses every -o, or takes the outputs of the job file.
func (o *outputOptions) parseOutputs() error {
	if len(o.outputs) == 0 && o.output != "" {
		o.outputs = []string{"overlay:" + o.output}
	}
	kinds := o.outputKinds()
	o.specs = nil
	for _, text := range o.outputs {
		out, err := parseOutput(text, kinds)
		if err != nil {
			return err
		}
		o.specs = append(o.specs, out)
	}
	if len(o.specs) == 0 && o.fromJob != nil {
		var err error
		if o.specs, err = o.fromJob.outputs(kinds); err != nil {
			return err
		}
	}
	if len(o.specs) == 0 {
		return ui.WithHint(ui.Usagef("no output"), "give one with -o FILE")
	}
	for i := range o.specs {
		if err := o.specs[i].resolveStream(o.encoder); err != nil {
			return o.fromJob.lined(o.specs[i].line, err)
		}
	}
	o.output = o.specs[0].Path
	return nil
}

// parseOutput parses one -o. Without a kind it is an overlay.
func parseOutput(text string, kinds []outputspec.Kind) (output, error) {
	spec, err := outputspec.Parse(text, kinds)
	if err != nil {
		kind := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ':' })
		if len(kind) == 0 || !slices.ContainsFunc(kinds, func(k outputspec.Kind) bool { return k.Name == kind[0] }) {
			kind = []string{""}
		}
		return output{}, ui.WithHint(ui.UsageError{Err: err}, keyHint(err, kind[0]))
	}
	if spec.Kind == "" && slices.ContainsFunc(kinds, func(k outputspec.Kind) bool { return k.Name == text }) {
		return output{}, ui.WithHint(ui.Usagef("output %s is a kind without a path", text), "give one as in -o "+text+":PATH")
	}
	if spec.Kind == "" {
		spec = kinds[0].Begin(spec.Path)
	}
	return checkedOutput(spec, text)
}

// checkedOutput returns the output of a spec, which an error names by its text.
func checkedOutput(spec outputspec.Spec, text string) (output, error) {
	out := output{Spec: spec, keys: spec.Keys.(outputKeys)}
	if _, streams := out.keys.(streamOutput); spec.Path == "-" && !streams {
		return out, notToStdout(spec.Kind)
	}
	if err := out.keys.check(spec.Path); err != nil {
		return out, ui.WithHint(ui.UsageError{Err: fmt.Errorf("output %s: %w", text, err)}, cmp.Or(ui.Hint(err), keyHint(nil, spec.Kind)))
	}
	return out, nil
}

// keyHint is the hint for an error about a key of a kind, or of any kind.
func keyHint(err error, kind string) string {
	unknown := (*outputspec.UnknownKeyError)(nil)
	switch {
	case errors.As(err, &unknown):
		return unknown.Hint()
	case kind != "":
		return "carve outputs " + kind + " lists all keys"
	}
	return "carve outputs lists all kinds"
}

// checkConcepts finds outputs of queries that there are not.
func (o *outputOptions) checkConcepts(queries []car.Query) error {
	var labels []string
	for _, q := range queries {
		labels = append(labels, q.Label)
	}
	for _, out := range o.specs {
		for _, c := range out.keys.concepts() {
			if !slices.Contains(labels, c) {
				err := ui.WithHint(ui.Usagef("output %s: there is no query %q", out.Path, c), ui.DidYouMean(c, labels, "the queries are "+strings.Join(labels, ", ")))
				return o.fromJob.lined(out.line, err)
			}
		}
	}
	return nil
}

// encoded returns the outputs that are encoded videos or images.
func (o *outputOptions) encoded() (list []*output) {
	for i := range o.specs {
		if _, ok := o.specs[i].keys.(encodedOutput); ok {
			list = append(list, &o.specs[i])
		}
	}
	return list
}

// sequences counts the mask sequences.
func (o *outputOptions) sequences() (n int) {
	for i := range o.specs {
		if _, ok := o.specs[i].keys.(folderOutput); ok {
			n++
		}
	}
	return n
}

// pictures returns the bytes of the pictures that outputs keep.
func (o *outputOptions) pictures(w, h, queries int) (n int64) {
	for i := range o.specs {
		if p, ok := o.specs[i].keys.(pictureOutput); ok {
			n += p.bytes(w, h, queries)
		}
	}
	return n
}

// encoding returns how an encoded output is encoded.
func (s *output) encoding() encoding { return s.keys.(encodedOutput).encoding(s.Path) }

// coded describes the frames of an encoded output.
func (s *output) coded(source video.Coded) video.Coded {
	if r, ok := s.keys.(resizedOutput); ok {
		return r.coded(source)
	}
	return source
}

// allPaths names all outputs.
func (o *outputOptions) allPaths() string {
	var paths []string
	for _, s := range o.specs {
		paths = append(paths, s.Path)
	}
	return strings.Join(paths, ", ")
}
