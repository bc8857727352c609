package main

import (
	"path/filepath"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/internal/outputspec"
	"github.com/carve-video/carve/internal/ui"
)

// masksKeys are the keys of a mask sequence.
type masksKeys struct {
	conceptKeys
	Split     carve.Split `key:"split" doc:"what has files of its own: nothing, so that pixels are numbers of concepts; each concept; each instance" values:"none|concept|instance"`
	Instances bool        `key:"instances" doc:"without a split, give each instance a number of its own; 254 at a time"`
	Format    string      `key:"format" doc:"of files in a folder" values:"png|tiff"`
	Bits      int         `key:"bits" doc:"of a grey pixel: 8 or 16"`
	Start     string      `key:"start" doc:"number of the first file, or source for that of a numbered source"`
	shapingKeys
}

func masksKind() outputspec.Kind {
	return outputspec.Kind{Name: "masks", About: "a mask sequence: numbered images in a folder", Example: "masks,split=concept,grow=2:masks/",
		New: func() any {
			return &masksKeys{Split: carve.SplitNone, Bits: 8, Start: "0", shapingKeys: shapingKeys{Soft: true}}
		}}
}

func (k *masksKeys) check(path string) error { return k.masks(path).Check() }

// masks makes a mask sequence, without what the input decides.
func (k *masksKeys) masks(path string) *carve.Masks {
	return &carve.Masks{Path: path, Split: k.Split, Instances: k.Instances, Format: k.Format, Bits: k.Bits, Start: k.Start,
		Concepts: k.Concepts, Shaping: k.shaping()}
}

func (k *masksKeys) sink(path string, in *input) carve.Sink {
	m := k.masks(path)
	m.Overwrite, m.Protect = in.overwrite, in.protect
	return m
}

// folder returns the folder that is for the sequence alone, or "" if it is not known yet.
func (k *masksKeys) folder(path string) string {
	for _, manifest := range k.masks(path).Paths() {
		return filepath.Dir(manifest)
	}
	return ""
}

// checkSequences finds outputs of instances in a run that does not tell them apart, and those
// that are to begin with a number that the input does not have.
func (o *segmentOptions) checkSequences() error {
	for _, s := range o.specs {
		k, ok := s.keys.(*masksKeys)
		if !ok {
			continue
		}
		if !o.instances && (k.Instances || k.Split == carve.SplitInstance) {
			return o.fromJob.lined(s.line, ui.WithHint(ui.Usagef("output %s is of instances, which this run does not tell apart", s.Path), "add --instances"))
		}
		if err := k.masks(s.Path).CheckSource(o.input); err != nil {
			return o.fromJob.lined(s.line, ui.WithHint(ui.Usagef("output %s: start=source: %w", s.Path, err), "start=1001 begins with a number of your choice"))
		}
	}
	return nil
}
