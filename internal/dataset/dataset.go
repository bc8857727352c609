// Package dataset reads the data sets that segmentation is measured on, as their
// publishers lay them out, and turns each into samples: the images to segment, the
// queries, and the truth.
//
// # What a sample is
//
// There are four protocols.
//
//   - [VOS]: a sample is a sequence. Every query means one object, which has its
//     own number in the truth of every frame.
//   - [Semantic]: a sample is an image. Its queries are all classes; the truth of a
//     pixel is its class.
//   - [Refer]: a sample is one annotated object of an image. All its sentences
//     are the queries, and all of them mean that object (docs/algorithm.md 7.2).
//   - [Concepts]: a sample is a video. Every query is the name of a concept, which may
//     appear in some frames, in several instances, or never. The truth is a folder of
//     masks by name, as package annotation reads it.
//
// In the first three, the number of a query in [Sample.Objects] is the label of its
// pixels in the [Truth]. 0 is for pixels of no query, and [Void] is not scored.
//
// # Queries
//
// Classes are asked for by the texts of the reference (docs/algorithm.md section 9), because
// published figures were made with them, while labels are the publishers' short names.
// [Set.Settings] is the preset of the set.
//
// # Memory
//
// A set is a list of paths and numbers. Truth is read, and polygons are painted, when
// the truth of a frame is requested. COCO's annotation files, up to half a gigabyte of
// JSON, are read once as a stream; only the positions of the annotations that may be
// needed are kept.
//
// # Errors
//
// A set is opened as a whole or not at all: all files that its lists name are looked up
// at once, so that a run does not fail hours later on an image that was never unpacked.
// [LayoutError] says what is missing and shows the expected layout.
package dataset

import (
	"errors"
	"fmt"
	"strings"

	"github.com/carve-video/carve/car"
)

// A Protocol is the kind of sample and how it is scored.
type Protocol string

// The protocols.
const (
	VOS      Protocol = "vos"      // objects through a sequence, J and F of each
	Semantic Protocol = "semantic" // a class for every pixel, mIoU over the set
	Refer    Protocol = "refer"    // sentences for one object, its IoU
	Concepts Protocol = "concepts" // concepts through a video: masks and presence
)

// Void is the label of pixels that are not scored.
const Void = 255

// Options select the part of a data set to read, and where files outside it lie. With
// the zero value the set is read as for published figures.
type Options struct {
	// Split is the part to read; empty is "val". DAVIS accepts "2016/val" and
	// "2016/train" for the lists of that year, the RefCOCO sets "google/val" for the
	// division by another author.
	Split string
	// Limit is the maximal number of samples, from the first on; 0 is all.
	Limit int
	// Images is the folder of the images if they do not lie with the annotations:
	// train2014 for the RefCOCO sets, val2017 for COCO.
	Images string
	// Names is, for DAVIS, a YAML or JSON file that maps a sequence to a map from
	// object numbers to queries, as car.ParseQuery reads them. It replaces the
	// expressions.
	Names string
	// Expressions selects, for DAVIS, the published expressions to use as queries:
	// "annot1", "annot1_full_video", "annot2", "annot2_full_video", "all" for each
	// sequence once with each, or the path of a file. Empty is "annot1".
	Expressions string
	// Resolution is, for DAVIS, the name of the folder of a resolution; empty is
	// "480p".
	Resolution string
}

// split returns the split, or val if none is given.
func (o *Options) split() string {
	if o.Split == "" {
		return "val"
	}
	return o.Split
}

// A Set is an opened data set.
type Set struct {
	Name     string
	Split    string
	Protocol Protocol

	// Preset names the car preset of the set's published figures, or the nearest one;
	// Settings returns it with the changes of the set.
	Preset string

	// Classes are the names of the labels from 1 on, in the semantic protocol.
	Classes []string
	// Background tells whether label 0 is a class that is scored too.
	Background bool

	Samples []Sample

	// Notes are what a reader of the figures should know: which annotations were used,
	// and what is not scored.
	Notes []string

	adjust func(*car.Preset) // what the set changes in the preset; may be nil
}

// A Sample is segmented in one run.
type Sample struct {
	ID string

	// Frames are the paths of the images, in order; one for a still. If the sample is a
	// video, there are as many entries as frames, all empty.
	Frames []string
	Film   string

	// Queries may be shared among samples and must not be changed.
	Queries []car.Query
	// Objects has the label of every query in the truth.
	Objects []int

	// Truth reads the truth of frame i. It may be called from several goroutines.
	Truth func(i int) (*Truth, error)

	// For Concepts, instead of Objects and Truth: the folder that holds the masks, and
	// the first frame of every new shot.
	Folder string
	Cuts   []int
}

// A Truth is the truth of one frame.
type Truth struct {
	W, H   int
	Labels []uint8 // a label a pixel, row by row, W×H
}

// Settings returns the preset of the set with the changes of the set.
func (s *Set) Settings() (car.Preset, error) {
	p, err := car.PresetNamed(s.Preset)
	if err != nil {
		return car.Preset{}, fmt.Errorf("settings for data set %s: %w", s.Name, err)
	}
	if s.adjust != nil {
		s.adjust(&p)
	}
	return p, nil
}

// A kind is a data set that can be read. Its open leaves Name and Split empty, and may
// return a set without samples.
type kind struct {
	name   string
	about  string // one line
	layout string // the folders and files that are read
	open   func(root string, o *Options) (*Set, error)
}

var kinds = []kind{clips, davis, voc, pascalContext, coco, ade, refcoco, refcocoPlus, refcocog}

// Names returns the names of the data sets that can be read.
func Names() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

// About describes a data set in one line, and lists the folders and files that are
// read.
func About(name string) (about, layout string, err error) {
	for _, k := range kinds {
		if k.name == name {
			return k.about, k.layout, nil
		}
	}
	return "", "", &UnknownError{Name: name}
}

// Open opens the data set with this name in the folder root.
func Open(name, root string, o Options) (*Set, error) {
	for _, k := range kinds {
		if k.name != name {
			continue
		}
		if o.Limit < 0 {
			return nil, fmt.Errorf("opening data set %s: the limit is %d", name, o.Limit)
		}
		s, err := k.open(root, &o)
		if err != nil {
			var missing *LayoutError
			if errors.As(err, &missing) {
				missing.Layout = k.layout
			}
			return nil, fmt.Errorf("opening data set %s in %s: %w", name, root, err)
		}
		if len(s.Samples) == 0 {
			return nil, fmt.Errorf("opening data set %s in %s: the split %s is empty", name, root, o.split())
		}
		if s.Name = name; s.Protocol != Concepts {
			s.Split = o.split()
		}
		return s, nil
	}
	return nil, &UnknownError{Name: name}
}

// full tells whether a set has as many samples as wanted.
func (o *Options) full(s *Set) bool { return o.Limit > 0 && len(s.Samples) >= o.Limit }

// An OptionError says that one of [Options], or a text file that it names, is wrong: the
// data set is not.
type OptionError struct{ Err error }

func (e *OptionError) Error() string { return e.Err.Error() }

// Unwrap returns what is wrong.
func (e *OptionError) Unwrap() error { return e.Err }

func wrongOption(format string, args ...any) error {
	return &OptionError{fmt.Errorf(format, args...)}
}

// An UnknownError says that there is no data set of that name.
type UnknownError struct{ Name string }

func (e *UnknownError) Error() string { return fmt.Sprintf("there is no data set %q", e.Name) }

// Hint lists the known names.
func (e *UnknownError) Hint() string { return "the data sets are " + strings.Join(Names(), ", ") }
