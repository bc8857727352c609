// Package maskmanifest writes and reads concepts.json, which says what the files of a
// mask sequence are. It is all that a reader needs besides the files.
package maskmanifest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/carve-video/carve/internal/boundedjson"
	"github.com/carve-video/carve/internal/pathpattern"
)

// File is the name of the manifest in the folder of a sequence.
const File = "concepts.json"

// Incomplete is the name of the manifest of a run that failed.
const Incomplete = "concepts.incomplete.json"

// Versions of the form. A reader of the first would take all pixels of a number for one
// instance, so that a sequence in which numbers are reused has the second.
const (
	VersionOne    = 1
	VersionReused = 2
	Version       = VersionReused // the highest that is read
)

// Kind is what the manifest is one of.
const Kind = "masks"

// What the value of a pixel is.
const (
	ValuesConcept  = "concept"  // Concept.Index of the concept; 0 is none
	ValuesInstance = "instance" // Instance.Index of the instance; 0 is none
	ValuesCoverage = "coverage" // how much of the pixel is inside; the highest is all of it
)

// A Manifest describes a sequence.
type Manifest struct {
	Version int    `json:"version"`
	Kind    string `json:"kind"`
	Source  Source `json:"source"`

	Width  int    `json:"width"`  // of every image, in pixels
	Height int    `json:"height"` // upright, as the source is shown
	Format string `json:"format"` // "png" or "tiff"
	Bits   int    `json:"bits"`   // of a pixel
	Split  string `json:"split"`  // what has files of its own: "none", "concept" or "instance"
	Values string `json:"values"`

	// Files is the pattern of the files in this folder, if nothing is split. It has
	// %06d or {frame} for the number, {pts} and {timecode}; %% is a percent sign.
	Files  string `json:"files,omitempty"`
	Start  int64  `json:"start"`  // number of the first file
	Frames int64  `json:"frames"` // every sequence of files has so many

	Rate      string    `json:"rate"`                // frames a second, on average
	TimeBase  string    `json:"time_base"`           // seconds a tick of PTS
	Timecode  string    `json:"timecode,omitempty"`  // of the first frame
	Timecodes []string  `json:"timecodes,omitempty"` // of each frame, if Files has them
	Concepts  []Concept `json:"concepts"`
	PTS       []int64   `json:"pts,omitempty"` // time of each frame in the source
}

// A Source is the video that the masks belong to.
type Source struct {
	Name         string `json:"name"` // without its folder
	Width        int    `json:"width"`
	Height       int    `json:"height"` // as coded
	Rotation     int    `json:"rotation"`
	Mirrored     bool   `json:"mirrored,omitempty"`
	SampleAspect string `json:"sample_aspect,omitempty"` // of a coded pixel
	FirstFrame   int64  `json:"first_frame"`             // the one that the first file belongs to, from 0
}

// A Concept is one query.
type Concept struct {
	Label     string     `json:"label"`
	ID        int        `json:"id"`
	Colour    string     `json:"colour"`            // of the query in overlays
	Index     int        `json:"index,omitempty"`   // value of its pixels
	Palette   string     `json:"palette,omitempty"` // colour of that value in the files
	Files     string     `json:"files,omitempty"`
	Present   int64      `json:"present"` // frames in which it is visible
	Instances []Instance `json:"instances,omitempty"`
}

// An Instance is one of those that a query has found. Its number is 0 for frames in which
// they are not told apart.
type Instance struct {
	Number  int    `json:"instance"`
	Index   int    `json:"index,omitempty"`
	Palette string `json:"palette,omitempty"`
	Files   string `json:"files,omitempty"`
	Present int64  `json:"present"`
	// From is the first image, counted from 0, in which Index is this instance, and Until
	// the first after it in which Index is another one, 0 if there is none. An instance
	// that came back after it had lost its Index is there once more.
	From  int64 `json:"from,omitempty"`
	Until int64 `json:"until,omitempty"`
}

// Marshal returns the file: a line for every value, but one line for all times.
func (m Manifest) Marshal() ([]byte, error) {
	pts := m.PTS
	m.PTS = nil
	b, err := marshal(m)
	if err != nil {
		return nil, err
	}
	b = bytes.TrimSuffix(b, []byte("\n}"))
	b = append(b, ",\n  \"pts\": ["...)
	for i, t := range pts {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = strconv.AppendInt(b, t, 10)
	}
	return append(b, "]\n}\n"...), nil
}

func marshal(m Manifest) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	err := e.Encode(m)
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), err
}

// Limits allow for a day of frames at a high rate, and thousands of instances.
var Limits = boundedjson.Limits{Bytes: 1 << 28, Depth: 8, Count: 1 << 20}

// ErrOther says that a file is not a manifest of this form.
var ErrOther = errors.New("it is no manifest of a mask sequence")

// Unmarshal reads a manifest.
func Unmarshal(data []byte) (*Manifest, error) {
	var head map[string]json.RawMessage
	if err := Limits.Unmarshal(data, &head); err != nil {
		return nil, err
	}
	var kind string
	if err := json.Unmarshal(head["kind"], &kind); err != nil || kind != Kind {
		return nil, ErrOther
	}
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, err
	}
	if m.Version < 1 || m.Version > Version {
		return nil, fmt.Errorf("it has version %d; this program reads up to %d", m.Version, Version)
	}
	return &m, nil
}

// Names yields all files of the sequence, as paths in its folder, with slashes. They are
// not trusted: they may lead anywhere.
func (m *Manifest) Names() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, c := range m.Concepts {
			for _, in := range c.Instances {
				if !m.each(in.Files, yield) {
					return
				}
			}
			if !m.each(c.Files, yield) {
				return
			}
		}
		m.each(m.Files, yield)
	}
}

// each yields the files of a pattern. It returns false if no more are wanted.
func (m *Manifest) each(pattern string, yield func(string) bool) bool {
	p, err := pathpattern.Parse(pattern)
	if err != nil || !p.Has(pathpattern.Frame) || !slices.Contains([]string{".png", ".tif", ".tiff"}, strings.ToLower(p.Ext())) {
		return true // not what a mask sequence writes
	}
	for i := range m.PTS {
		if !yield(p.File(m.Time(i))) {
			return false
		}
	}
	return true
}

// Time returns what names of files say of the i-th frame.
func (m *Manifest) Time(i int) pathpattern.Time {
	t := pathpattern.Time{Frame: m.Start + int64(i), PTS: m.PTS[i]}
	if i < len(m.Timecodes) {
		t.Timecode = m.Timecodes[i]
	}
	return t
}
