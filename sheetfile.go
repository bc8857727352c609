package carve

import (
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"path/filepath"
	"strings"

	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/sheet"
	"github.com/carve-video/carve/internal/timecode"
	"github.com/carve-video/carve/video"
	"github.com/carve-video/carve/video/overlay"
)

// A sheetFile is what [Sheet] and [Strip] have in common: the pictures that they make of
// frames, and the file.
type sheetFile struct {
	info          video.Info
	width, height int // of the source, upright with square pixels
	code          timecode.Code
	only          queryIDs // of the queries that are drawn
	thumbs        *thumbnailer

	path     string
	file     *atomicfile.File
	undo     *atomicfile.Undo // undoes Commit
	prepared bool
}

// A sheetView says how pictures are made.
type sheetView struct {
	width, area int
	zoom        float64
	style       overlay.Style
	shaping     *Shaping
	palette     overlay.Palette
	concepts    []string
}

const (
	// maxCells bounds columns and rows.
	maxCells = 200
	// maxShown bounds the pixels of the pictures that are shown.
	maxShown = 1 << 26
	// sheetMemory is how many bytes of pictures are kept in addition to those that are
	// shown.
	sheetMemory = 64 << 20
	// maxConcepts bounds the concepts that are counted.
	maxConcepts = 256
)

// checkSheet finds what is wrong with options.
func checkSheet(path string, columns, width int, shaping *Shaping) error {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".png", ".jpg", ".jpeg":
	default:
		return fmt.Errorf("%s: a sheet is written as .png or .jpg", path)
	}
	switch {
	case columns < 0 || columns > maxCells:
		return fmt.Errorf("there are %d columns; there can be 1 to %d", columns, maxCells)
	case width != 0 && (width < 32 || width > maxThumbnail):
		return fmt.Errorf("the width of a frame is %d pixels; it can be 32 to %d", width, maxThumbnail)
	case shaping != nil:
		return shaping.Check()
	}
	return nil
}

// checkPixels returns an error if n pictures of w×h are too many.
func checkPixels(n, w, h int) error {
	if n*w*h > maxShown {
		return fmt.Errorf("%d frames of %dx%d are %d megapixels; a sheet has at most %d", n, w, h, n*w*h>>20, maxShown>>20)
	}
	return nil
}

// roomFor returns how many pictures of w×h each of some rows keeps while the length of the
// video is not known, if it shows n.
func roomFor(n, rows, w, h int) int {
	each := 4 * w * h * rows
	return max(min(candidates*n, n+sheetMemory/each), 2)
}

// keptBytes is the memory of the pictures that are kept for rows of n pictures of w×h. More
// than there can be are refused when the file is opened.
func keptBytes(n, rows, w, h int) int64 {
	n = min(n, max(maxShown/(w*h*rows), 1))
	return 4 * int64(w*h) * int64(rows*roomFor(n, rows, w, h)+1)
}

// largestThumbnail is the size of pictures of frames that are stored as w×h, and may have to
// be turned.
func largestThumbnail(w, h, width, area int) (tw, th int) {
	tw, th = thumbnailSize(max(w, 1), max(h, 1), width, area)
	if uw, uh := thumbnailSize(max(h, 1), max(w, 1), width, area); uw*uh > tw*th {
		tw, th = uw, uh
	}
	return min(tw, maxThumbnail), min(th, maxThumbnail) // larger ones are refused
}

// open prepares for the frames of a stream, and returns the size of pictures.
func (s *sheetFile) open(st *Stream, v sheetView) (w, h int, err error) {
	s.info, s.code = st.Info, codeOf(st)
	s.width, s.height = video.ModelSize(st.Info, 0)
	if s.only, err = chooseQueries(v.concepts, st.Queries); err != nil {
		return 0, 0, err
	}
	w, h = thumbnailSize(s.width, s.height, v.width, v.area)
	if s.thumbs, err = newThumbnailer(st, w, h, v.zoom, v.style, v.shaping); err != nil {
		return 0, 0, err
	}
	s.thumbs.colours = recolouring{palette: v.palette, only: s.only}
	s.thumbs.colours.set(st.Queries)
	return w, h, nil
}

// create creates the file, under a temporary name.
func (s *sheetFile) create(path string, overwrite bool, protect []string) (err error) {
	s.path = path
	s.file, err = atomicfile.Create(path, atomicfile.Options{Overwrite: overwrite, Inputs: append([]string{s.info.Path}, protect...)})
	return err
}

// tryCreate is create for a test. A pipe is not opened for it: the reader would take the end
// of the test for the end of the sheet.
func (s *sheetFile) tryCreate(path string, overwrite bool, protect []string) error {
	if atomicfile.InPlace(path) {
		return nil
	}
	return s.create(path, overwrite, protect)
}

// shown returns which queries of a frame are drawn.
func (s *sheetFile) shown(f *Frame) func(query int) bool {
	return func(query int) bool { return s.only.has(queryID(f.Queries[query], query)) }
}

// note counts what is found in a frame, before shaping.
func (s *sheetFile) note(t *timeline, f *Frame) {
	t.advance(f.Time)
	shown := s.shown(f)
	var colours [][3]uint8 // of the queries, if there is a new one
	for i := range f.Queries {
		q := &f.Queries[i]
		id := queryID(*q, i)
		if !shown(i) || t.concepts[id] == nil && len(t.order) == maxConcepts {
			continue
		}
		m, known := t.concept(id)
		if m.label, m.place = q.Label, i; !known {
			if colours == nil {
				colours, _ = Colours(f.Queries) // the run has used them
			}
			m.colour = s.colour(f, i, colours)
		}
		if found := f.Result.Lookup(i); found != nil && found.Area > 0 {
			t.add(m, sureness(f, i))
		}
	}
}

// sureness is the number that an overlay shows beside a name, or without one the mean
// probability of the mask, 0..1.
func sureness(f *Frame, query int) float32 {
	found := f.Result.Lookup(query)
	if c := confidence(f, &Layer{Query: query, Score: found.Score}); c >= 0 {
		return min(c, 1)
	}
	return found.Confidence
}

// tags names what is found in a frame, with its colour.
func (s *sheetFile) tags(t *timeline, f *Frame) (tags []sheet.Tag) {
	shown := s.shown(f)
	for i := range f.Result.Found {
		found := &f.Result.Found[i]
		m := t.concepts[queryID(f.Queries[found.Query], found.Query)]
		if found.Area == 0 || m == nil || !shown(found.Query) {
			continue
		}
		note, n := "", 0
		for _, in := range f.Instances {
			if in.Query == found.Query {
				n++
			}
		}
		if n > 1 {
			note = fmt.Sprintf("×%d", n)
		}
		if c := confidence(f, &Layer{Query: found.Query, Score: found.Score}); c >= 0 {
			note = strings.TrimSpace(note + fmt.Sprintf(" %.2f", c))
		}
		tags = append(tags, sheet.Tag{Name: m.name(), Color: m.colour, Note: note})
	}
	return tags
}

// colour is the colour of a query.
func (s *sheetFile) colour(f *Frame, query int, colours [][3]uint8) color.RGBA {
	s.thumbs.colours.set(f.Queries)
	c := s.thumbs.colours.colour(&f.Queries[query], query, colours[query], 0)
	return color.RGBA{c[0], c[1], c[2], 255}
}

// write encodes the sheet and writes it to disk.
func (s *sheetFile) write(img image.Image) (err error) {
	const quality = 92
	if strings.ToLower(filepath.Ext(s.path)) == ".png" {
		err = png.Encode(s.file, img)
	} else {
		err = jpeg.Encode(s.file, img, &jpeg.Options{Quality: quality})
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", s.path, err)
	}
	if err := s.file.Prepare(); err != nil {
		return err
	}
	s.prepared = true
	return nil
}

// Commit gives the file its name.
func (s *sheetFile) Commit() (err error) {
	if !s.prepared {
		return errors.New("the sheet is not prepared")
	}
	s.undo, err = s.file.CommitUndoable()
	return err
}

// Abort removes the file, and restores the one that it replaced.
func (s *sheetFile) Abort() {
	s.undo.Revert()
	s.undo = nil
	if s.file != nil {
		s.file.Abort()
	}
}

// Close ends the use of the sink.
func (s *sheetFile) Close() error {
	s.undo.Keep()
	if s.file != nil {
		s.file.Abort() // does nothing once it is committed
	}
	s.thumbs.close()
	return nil
}
