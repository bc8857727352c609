// Package annotation reads the masks of a video, either the truth or a program's
// results.
//
// [Open] recognises four forms:
//
//   - A mask sequence of carve: the manifest concepts.json says what the files are. A
//     pixel of a grey image is inside from half coverage on.
//   - A folder of indexed PNGs, 00000.png and on, as in the DAVIS data sets. The palette
//     index of a pixel is the number of its object; 0 is none, 255 is void: a pixel that
//     does not count. A file concepts.json in the folder may name the numbers; truth.json,
//     which the program stickerworld writes beside a folder "annotations", names them
//     frame by frame. Grey images with two values are the masks of one object.
//   - A folder of folders, one for each concept and named after it. Each holds PNGs in
//     which every pixel that is not black is inside.
//   - A JSON file of run lengths as in the COCO and YouTube-VIS data sets, either a whole
//     data set or a bare list of results.
//
// A [Sequence] knows at once the number of frames, their size and their objects. A
// [Frame] is decoded on request, by any number of goroutines, and belongs to the
// caller, so memory does not grow with the length of the video. Masks are bit sets
// ([Mask]) and may overlap.
//
// The files are not trusted: a gap in the numbering, a frame of another size, a number
// without a name, a 16-bit image or run lengths that do not fill the image are errors
// that name the file or the frame. A mask left out silently would falsify every
// measure.
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

	"github.com/carve-video/carve/internal/nowhere"
	"github.com/carve-video/carve/internal/plural"
)

// An Object is what one mask of every frame shows: an instance, or all instances of a
// concept.
type Object struct {
	ID   int    // the number that the source gives it; 0 if it only has a name
	Name string // empty if the source gives no names
}

// String returns the name, or the number if there is no name.
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

	// Numbered tells whether the file names of the frames are numbers. First is the
	// lowest one; there are no gaps.
	Numbered bool
	First    int

	length int
	names  []string // frame names for messages; nil if the frames are numbered
	ids    []Object // all numbers that have names, whether or not they occur
	video  *int     // number in a JSON file; nil for other forms
	read   func(i int) (*Frame, error)
}

// A Frame holds the masks of one frame.
type Frame struct {
	W, H int

	// Masks has one mask for each object of the sequence, in the same order; nil is an
	// empty mask.
	Masks []*Mask

	// Void marks the pixels whose content is unknown; nil means none. No mask covers
	// them.
	Void *Mask

	// Ignored tells for each object whether it is left out of the score of this frame,
	// found or missed; nil means that all count.
	Ignored []bool
}

// Options control how a sequence is read. The zero value is valid.
type Options struct {
	// Video picks one of the videos of a JSON file, by number or name. It may be empty
	// if the file has only one.
	Video string

	// MinScore drops results with a lower score. Data sets and images have no scores.
	MinScore float64

	// Like is the sequence that this one will be compared with. It supplies what a bare
	// list of results lacks: the size and length of the video, and which video it is.
	Like *Sequence

	// Workers is the number of files read at once; 0 is one for each CPU.
	Workers int
}

// New makes a sequence of frames that are already in memory. read is called with 0 ≤ i
// < length, by several goroutines at once.
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
		return nil, fmt.Errorf("frame %s of %s has %s for %s", s.FrameName(i), s.Path, plural.Of(len(f.Masks), "mask"), plural.Of(len(s.Objects), "object"))
	}
	return f, nil
}

// FrameName is the name of frame i in messages.
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

// Open detects the form of the masks at a path and returns them as a sequence. File
// headers (sizes, kinds, numbering) are checked here. The contents are checked when a
// frame is decoded, unless the list of objects depends on them.
func Open(ctx context.Context, path string, o Options) (*Sequence, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nowhere.Named(path, err)
	}
	if !info.IsDir() {
		return openJSON(path, o)
	}
	if m, err := readManifest(path); err != nil {
		return nil, err
	} else if m != nil {
		return openDescribed(ctx, path, m, o.Workers)
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	var folders []string
	images := false
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") {
			continue
		}
		if isDir(e, path) {
			folders = append(folders, name)
		} else if isPNG(name) {
			images = true
		}
	}
	inside := filepath.Join(path, annotationsFolder)
	switch {
	case images:
		return openIndexed(ctx, path, o)
	case len(folders) == 0:
		return nil, fmt.Errorf("%s: %w", path, errNoMasks)
	case exists(inside) && exists(filepath.Join(path, albumFile)):
		return openIndexed(ctx, inside, o)
	}
	return openConcepts(ctx, path, folders, o)
}

// errNoMasks is for a folder that holds neither images nor folders.
var errNoMasks = errors.New("there are no masks in this folder: neither 00000.png and on, nor a folder for each concept")

// isDir follows links: data sets are often assembled from links.
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
