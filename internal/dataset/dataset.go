// Package dataset reads the data sets that segmentation is measured on, as
// their publishers lay them out, and turns each into samples: pictures to
// segment, the texts to ask for, and what is right.
//
// # What a sample is
//
// There are four protocols.
//
//   - [VOS]: a sample is a sequence. Every query means one object, which has its
//     own number in the truth of every frame.
//   - [Semantic]: a sample is a picture. Every class is asked for in every
//     picture; the truth of a pixel is its class.
//   - [Refer]: a sample is one annotated object of a picture. All its sentences
//     are the queries, and all of them mean that object (car.md 7.2).
//   - [Concepts]: a sample is a film. Every query is the name of a concept, which
//     may be there in some frames, in several things, or never. What is right is
//     a folder of masks by name, as package annotation reads it.
//
// In the first three a query's number in [Sample.Objects] is the label that its
// pixels have in the [Truth]; 0 is what no query means, and [Void] is not scored.
//
// # What is asked for
//
// Classes are asked for by the texts of the reference (car.md section 9), because
// published figures stand on them, while labels are the publishers' short names.
// [Set.Settings] is the preset that goes with the set.
//
// # How little is held
//
// A set is a list of paths and numbers. Truth is read, and polygons are
// painted, when a frame's truth is asked for. The annotation files of COCO, up to
// half a gigabyte of JSON, are passed through once; of each annotation that may
// be asked for its place in the file is kept.
//
// # Errors
//
// A set is opened as a whole or not at all: files that its lists name are looked
// for at once, so that a run does not break hours later on a picture that was
// never unpacked. [LayoutError] says what is missing and shows what is expected.
package dataset

import (
	"errors"
	"fmt"
	"strings"

	"github.com/carve-video/carve/car"
)

// A Protocol says what a sample is and how it is scored.
type Protocol string

// The protocols.
const (
	VOS      Protocol = "vos"      // objects through a sequence, J and F of each
	Semantic Protocol = "semantic" // a class for every pixel, mIoU over the set
	Refer    Protocol = "refer"    // sentences for one object, its IoU
	Concepts Protocol = "concepts" // concepts through a film, and whether they are there
)

// Void is the label of pixels that are not scored.
const Void = 255

// Options say what of a data set is read, and where what is not part of it lies.
// The zero value is what published figures are made of.
type Options struct {
	// Split is the part that is read; empty is "val". DAVIS takes "2016/val" and
	// "2016/train" for the lists of that year, the RefCOCO sets "google/val" for
	// the division by another author.
	Split string
	// Limit is how many samples are read at most, from the first on; 0 is all.
	Limit int
	// Images is the folder of the pictures where they do not lie with the
	// annotations: train2014 for the RefCOCO sets, val2017 for COCO.
	Images string
	// Names is, for DAVIS, a YAML or JSON file that maps a sequence to a map from
	// an object's number to what it is asked for by, as car.ParseQuery reads it.
	// It stands in for the expressions.
	Names string
	// Expressions are, for DAVIS, which of the published ones are the queries:
	// "annot1", "annot1_full_video", "annot2", "annot2_full_video", "all" for
	// each sequence once with each, or the path of a file. Empty is "annot1".
	Expressions string
	// Resolution is, for DAVIS, the folder of that name; empty is "480p".
	Resolution string
}

// split returns the split, which is val when none is given.
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

	// Preset names the car preset that the published figures of the set are made
	// with, or the nearest one; Settings has it complete.
	Preset string

	// Classes are the names of the labels from 1 on, in the semantic protocol.
	Classes []string
	// Background tells whether label 0 is a class that is scored as well.
	Background bool

	Samples []Sample

	// Notes are what whoever reads the figures should know: which annotations
	// were taken, and what is not scored.
	Notes []string

	adjust func(*car.Preset) // what the set changes in the preset; may be nil
}

// A Sample is what is segmented in one go.
type Sample struct {
	ID string

	// Frames are the paths of the pictures, in order; one for a still. Where there
	// is a film there are as many, all empty.
	Frames []string
	Film   string

	// Queries are what is asked for. The slice may be shared among samples: it is
	// not to be changed.
	Queries []car.Query
	// Objects has, for every query, its label in the truth.
	Objects []int

	// Truth reads what is right in frame i. It may be called from several
	// goroutines.
	Truth func(i int) (*Truth, error)

	// For Concepts in place of Objects and Truth: the folder that holds the masks,
	// and the frames with which a new shot begins.
	Folder string
	Cuts   []int
}

// A Truth is what is right in one frame.
type Truth struct {
	W, H   int
	Labels []uint8 // a label a pixel, row by row, W×H
}

// Settings returns the preset of the set with what the set changes in it.
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

// A kind is a data set that can be read. Its open returns no name and no split,
// and as many samples as there are.
type kind struct {
	name   string
	about  string // one line
	layout string // the folders and files that are read
	open   func(root string, o *Options) (*Set, error)
}

var kinds = []kind{clips, davis, voc, pascalContext, coco, ade, refcoco, refcocoPlus, refcocog}

// Names are the names of the data sets that can be read.
func Names() []string {
	var names []string
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

// About says in one line what a data set is, and shows the folders and files
// that are read of it.
func About(name string) (about, layout string, err error) {
	for _, k := range kinds {
		if k.name == name {
			return k.about, k.layout, nil
		}
	}
	return "", "", &UnknownError{Name: name}
}

// Open opens the data set of that name, which lies in the folder root.
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

// full tells whether a set has as many samples as are wanted.
func (o *Options) full(s *Set) bool { return o.Limit > 0 && len(s.Samples) >= o.Limit }

// An UnknownError says that there is no data set of that name.
type UnknownError struct{ Name string }

func (e *UnknownError) Error() string { return fmt.Sprintf("there is no data set %q", e.Name) }

// Hint lists the names there are.
func (e *UnknownError) Hint() string { return "the data sets are " + strings.Join(Names(), ", ") }
