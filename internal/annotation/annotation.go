// Package annotation reads masks of a video: what somebody says is to be seen
// in every frame, be it the truth or what a program found.
//
// Three forms are understood, and [Open] tells them apart by what lies there:
//
//   - A folder of indexed PNGs, 00000.png and on, as the DAVIS data sets have
//     them: the palette index of a pixel is the number of its object, 0 is none,
//     255 is void, a pixel that nobody judges. A file concepts.json in it may
//     name the numbers; truth.json, which the program stickerworld writes beside
//     a folder "annotations", names them frame by frame. Grey pictures of two
//     values are taken as the masks of one object.
//   - A folder of folders, one for every concept and called like it, each with
//     PNGs of its own in which everything that is not black is inside.
//   - A JSON file of run lengths in the form of the COCO and YouTube-VIS data
//     sets, either a whole data set or a bare list of results.
//
// Whatever the form, a [Sequence] says at once how many frames there are, how
// large they are and which objects; a [Frame] is decoded when it is asked for,
// by as many goroutines as care to, and belongs to who asked. So memory does
// not grow with the length of a film. Masks are bit sets ([Mask]) and may cover
// each other.
//
// What lies there is not trusted: a gap in the numbering, a frame of another
// size, a number without a name, a picture with 16 bits, run lengths that do not
// fill the picture all are errors that name the file or the frame. A mask that
// was left out silently would falsify every measure made of it.
package annotation

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// An Object is what one mask in every frame is about: a thing, or all things of
// one concept.
type Object struct {
	ID   int    // the number that the source gives it; 0 if it only has a name
	Name string // empty if the source names none of its objects
}

// String is the name, or else the number.
func (o Object) String() string {
	if o.Name != "" {
		return o.Name
	}
	return strconv.Itoa(o.ID)
}

// A Sequence is the masks of one video. It is safe for concurrent use.
type Sequence struct {
	Path string // where it comes from, for messages
	W, H int    // size of every frame, in pixels

	// Objects are in the order of their numbers, then of their names. Either
	// all of them have names or none.
	Objects []Object

	// Numbered tells that the frames have numbers in the names of their files;
	// First is the first one. There are no gaps.
	Numbered bool
	First    int

	length int
	names  []string // of the frames, for messages; nil for numbered ones
	ids    []Object // numbers that have names, whether or not they occur
	video  *int     // number in a JSON file; nil for other forms
	read   func(i int) (*Frame, error)
}

// A Frame is the masks of one picture.
type Frame struct {
	W, H int

	// Masks has one mask for each object of the sequence, in its order; nil
	// stands for an empty one.
	Masks []*Mask

	// Void is where nobody knows what is there; nil for nowhere. No mask has
	// any of it.
	Void *Mask

	// Ignored tells of each object whether neither finding nor missing it in
	// this frame should count; nil for none.
	Ignored []bool
}

// Options say how to read a sequence. The zero value will do.
type Options struct {
	// Video picks one of a JSON file's videos, by number or by name. Empty will
	// do for a file that has one.
	Video string

	// MinScore leaves out results whose score is lower. Data sets and pictures
	// have no scores.
	MinScore float64

	// Like is the sequence that this one will be held against. A bare list of
	// results does not say how long and large the video is, and which it is.
	Like *Sequence

	// Workers is how many files are looked at at once; 0 is one for each CPU.
	Workers int
}

// New makes a sequence of frames that are already in memory. read is called
// with 0 ≤ i < length, by several goroutines at once.
func New(w, h, length int, objects []Object, read func(i int) (*Frame, error)) *Sequence {
	return &Sequence{Path: "memory", W: w, H: h, Objects: objects, length: length, ids: objects, read: read}
}

// Len returns the number of frames.
func (s *Sequence) Len() int { return s.length }

// Frame decodes frame i, 0 ≤ i < Len. It belongs to the caller.
func (s *Sequence) Frame(i int) (*Frame, error) {
	f, err := s.read(i)
	if err != nil {
		return nil, err
	}
	if len(f.Masks) != len(s.Objects) {
		return nil, fmt.Errorf("frame %s of %s has %d masks for %d objects", s.FrameName(i), s.Path, len(f.Masks), len(s.Objects))
	}
	return f, nil
}

// FrameName is what frame i is called in messages.
func (s *Sequence) FrameName(i int) string {
	switch {
	case s.Numbered:
		return frameNumber(s.First + i)
	case i < len(s.names):
		return s.names[i]
	}
	return frameNumber(i)
}

// Named tells whether the objects have names.
func (s *Sequence) Named() bool {
	return len(s.Objects) > 0 && s.Objects[0].Name != ""
}

func frameNumber(n int) string { return fmt.Sprintf("%05d", n) }

// Open reads what kind of masks lie at a path and returns them as a sequence.
// Everything that can be told from the outside, such as sizes, kinds and numbers
// of pictures, is checked here; what is inside them is found when a frame is
// decoded, unless the objects cannot be known otherwise.
func Open(ctx context.Context, path string, o Options) (*Sequence, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return openJSON(path, o)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var folders []string
	pictures := false
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") {
			continue
		}
		if isDir(e, path) {
			folders = append(folders, name)
		} else if isPicture(name) {
			pictures = true
		}
	}
	inside := filepath.Join(path, annotationsFolder)
	switch {
	case pictures:
		return openIndexed(ctx, path, o)
	case len(folders) == 0:
		return nil, fmt.Errorf("%s: %w", path, errNoMasks)
	case exists(inside) && exists(filepath.Join(path, albumFile)):
		return openIndexed(ctx, inside, o)
	}
	return openConcepts(ctx, path, folders, o)
}

// errNoMasks is about a folder with neither pictures nor folders.
var errNoMasks = errors.New("there are no masks in this folder: neither 00000.png and on, nor a folder for each concept")

// isDir follows links: data sets are often assembled of them.
func isDir(e fs.DirEntry, in string) bool {
	if e.Type()&fs.ModeSymlink == 0 {
		return e.IsDir()
	}
	info, err := os.Stat(filepath.Join(in, e.Name()))
	return err == nil && info.IsDir()
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
