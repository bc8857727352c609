package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/outputspec"
	"github.com/carve-video/carve/internal/pathpattern"
)

// The path of an output that is one file may have {name}, the input's base name without
// its extension, and {concept}, the name of a concept. {{name}} and {{concept}} stand for
// those characters. All other text is taken as it is, braces included, so that any file
// can be named. Mask sequences have places of their own.

// splitKeys are the keys of an output that may have a file for each concept.
type splitKeys struct {
	Split videoSplit `key:"split" doc:"what has a file of its own: none, or each concept; the path then has {concept}"`
}

// A videoSplit says what has a video of its own.
type videoSplit string

const (
	splitNone    videoSplit = "none"
	splitConcept videoSplit = "concept"
)

// UnmarshalText implements [encoding.TextUnmarshaler].
func (s *videoSplit) UnmarshalText(text []byte) error {
	switch *s = videoSplit(text); *s {
	case splitNone, splitConcept:
		return nil
	case "instance":
		return outputspec.Wanted("none or concept; files for each instance are those of masks,split=instance")
	}
	return outputspec.Wanted("none or concept")
}

// A splitOutput is the keys of an output that may have a file for each concept.
type splitOutput interface {
	splits() bool
	// only returns the keys of the file for one concept.
	only(label string) outputKeys
}

func (k *splitKeys) splits() bool { return k.Split == splitConcept }

// checkPlaces finds places in a path that do not fit the split.
func (k *splitKeys) checkPlaces(path string, concepts []string) error {
	switch has := hasConcept(path); {
	case k.splits() && !has:
		return fmt.Errorf("%s: it has no {concept}, and there is a file for each", path)
	case !k.splits() && has && len(concepts) != 1:
		return fmt.Errorf("%s: a file has all concepts unless there is split=concept; {{concept}} stands for the text", path)
	}
	return nil
}

// checkWhole finds places in the path of an output that is never split.
func (k *conceptKeys) checkWhole(path string) error {
	if hasConcept(path) && len(k.Concepts) != 1 {
		return fmt.Errorf("%s: a file has all concepts unless there is one key concept; {{concept}} stands for the text", path)
	}
	return nil
}

func hasConcept(path string) bool {
	return strings.Contains(strings.ReplaceAll(path, "{{concept}}", ""), "{concept}")
}

// fillPath fills the places in a path. Texts become parts of one element of a path.
func fillPath(path, name, concept string) string {
	return strings.NewReplacer("{{name}}", "{name}", "{{concept}}", "{concept}",
		"{name}", pathpattern.Clean(name), "{concept}", pathpattern.Clean(concept)).Replace(path)
}

// expandOutputs makes an output for each concept of those that are split, and fills the
// places in paths. No two concepts get one path.
func (o *outputOptions) expandOutputs(input string, queries []car.Query) {
	name := filepath.Base(input)
	name = strings.TrimSuffix(name, filepath.Ext(name))
	var specs []output
	for _, s := range o.specs {
		split, splits := s.keys.(splitOutput)
		if _, folder := s.keys.(folderOutput); folder {
			specs = append(specs, s)
			continue
		}
		labels := s.keys.concepts()
		if !splits || !split.splits() {
			s.Path = fillPath(s.Path, name, strings.Join(labels, ""))
			specs = append(specs, s)
			continue
		}
		if len(labels) == 0 {
			for _, q := range queries {
				labels = append(labels, q.Label)
			}
		}
		var names pathpattern.Names
		for i, label := range labels {
			if slices.Contains(labels[:i], label) {
				continue
			}
			one := s
			one.Path = fillPath(s.Path, name, names.Add(label))
			one.keys = split.only(label)
			one.Keys = one.keys
			specs = append(specs, one)
		}
	}
	o.specs = specs
	o.output = o.specs[0].Path
}
