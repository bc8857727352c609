package carve

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"math"
	"path/filepath"
	"strings"
	"time"

	"github.com/carve-video/carve/internal/sheet"
	"github.com/carve-video/carve/internal/timecode"
	"github.com/carve-video/carve/video"
	"github.com/carve-video/carve/video/overlay"
)

// A Sheet is a sink that writes a contact sheet: one image with frames of the video, evenly
// spaced, with their masks, their times, and what was found in them.
//
// The length of the video need not be known. While frames come, a bounded number of pictures
// is kept, and every second one dropped when there are too many.
type Sheet struct {
	// Path is the file: .png, .jpg or .jpeg.
	Path string
	// Columns and Rows are those of the grid. By default there are about 24 frames in a sheet
	// of about the shape of a screen.
	Columns, Rows int
	// Width is that of a frame in pixels. By default a frame has as many pixels as 320×180.
	Width int
	// Labels says where names are written: below a frame, which is where its legend is, at
	// the objects, in both places or nowhere.
	Labels overlay.Labels
	// Palette has the colours of queries without a colour of their own.
	Palette overlay.Palette
	// Concepts are the labels of the queries that are drawn; none stands for all.
	Concepts []string
	// Shaping changes masks before they are drawn; nil leaves them as they are. Lengths are
	// in pixels of the source.
	Shaping *Shaping
	// Overwrite replaces an existing file.
	Overwrite bool
	// Protect lists files that the run reads, and folders of such files. They are never
	// replaced.
	Protect []string

	sheetFile
	grid       timeGrid
	columns    int
	most       int // frames on the sheet
	timeline   *timeline
	thumbnails []thumbnail
}

// A thumbnail is a frame that may be on the sheet.
type thumbnail struct {
	cell    int // in time
	image   *image.RGBA
	caption string
	tags    []sheet.Tag
}

// sheetFrames is the number of frames without Columns and Rows, and candidates how many times
// as many pictures are kept while the length is not known. More make the spacing more even.
const (
	sheetFrames = 24
	candidates  = 4
)

// Traits implements [Traited]. Masks are made for the frames on the sheet alone.
func (s *Sheet) Traits() Traits { return Traits{Name: "sheet", NoMasks: true} }

// Paths implements [FileSink].
func (s *Sheet) Paths() []string { return []string{s.Path} }

// Check finds what is wrong with the options alone, before there is a source.
func (s *Sheet) Check() error {
	if err := checkSheet(s.Path, s.Columns, s.Width, s.Shaping); err != nil {
		return err
	}
	if s.Rows < 0 || s.Rows > maxCells {
		return fmt.Errorf("there are %d rows; there can be 1 to %d", s.Rows, maxCells)
	}
	return nil
}

// Open checks the options and creates the file, under a temporary name.
func (s *Sheet) Open(_ context.Context, st *Stream) error {
	if err := s.start(st); err != nil {
		return err
	}
	return s.create(s.Path, s.Overwrite, s.Protect)
}

// start is Open without the file.
func (s *Sheet) start(st *Stream) error {
	if err := s.Check(); err != nil {
		return fmt.Errorf("opening %s: %w", s.Path, err)
	}
	style := overlay.DefaultStyle()
	style.Labels = overlay.LabelOff
	if s.Labels == overlay.LabelThing || s.Labels == overlay.LabelBoth {
		style.Labels = overlay.LabelThing
	}
	w, h, err := s.open(st, sheetView{s.Width, thumbnailArea, 1, style, s.Shaping, s.Palette, s.Concepts})
	if err != nil {
		return fmt.Errorf("opening %s: %w", s.Path, err)
	}
	var rows int
	s.columns, rows = s.shape(w, h)
	s.most = s.columns * rows
	if err = checkPixels(s.most, w, h); err == nil {
		_, err = s.layout(s.columns, w).Check(rows, h)
	}
	if err != nil {
		return fmt.Errorf("opening %s: %w", s.Path, err)
	}
	s.grid.room = roomFor(s.most, 1, w, h)
	s.timeline = newTimeline()
	return nil
}

// Try reports the error that Open would return, and leaves nothing behind.
func (s *Sheet) Try(_ context.Context, st *Stream) error {
	err := s.start(st)
	if err == nil {
		err = s.tryCreate(s.Path, s.Overwrite, s.Protect)
	}
	s.Abort()
	_ = s.Close()
	return err
}

// shape returns the columns and rows for frames of w×h.
func (s *Sheet) shape(w, h int) (columns, rows int) {
	best := math.Inf(1)
	for c := 1; c <= sheetFrames; c++ {
		for r := 1; r <= sheetFrames; r++ {
			// Both the shape and the number of frames are to be near what is wanted.
			const wide, line = 1.6, 44
			cost := math.Abs(math.Log(float64(c*w)/float64(r*(h+line))/wide)) + 1.5*math.Abs(math.Log(float64(c*r)/sheetFrames))
			if cost < best {
				best, columns, rows = cost, c, r
			}
		}
	}
	return cmp.Or(s.Columns, columns), cmp.Or(s.Rows, rows)
}

// layout says how frames of a width are laid out.
func (s *Sheet) layout(columns, w int) *sheet.Options {
	return &sheet.Options{Title: " ", Columns: columns, CellWidth: w, TagLines: 4}
}

// Write takes a picture of a frame, if the frame may be on the sheet.
func (s *Sheet) Write(_ context.Context, f *Frame) error {
	s.note(s.timeline, f)
	for range s.grid.advance(f.Time) {
		kept := s.thumbnails[:0]
		for _, t := range s.thumbnails {
			if t.cell /= 2; len(kept) == 0 || kept[len(kept)-1].cell != t.cell {
				kept = append(kept, t)
			}
		}
		clear(s.thumbnails[len(kept):])
		s.thumbnails = kept
	}
	cell := s.grid.cell()
	if n := len(s.thumbnails); n > 0 && s.thumbnails[n-1].cell == cell {
		return nil
	}
	img, err := s.thumbs.picture(f, image.Rect(0, 0, f.Result.W, f.Result.H), s.shown(f))
	if err != nil {
		return err
	}
	t := thumbnail{cell: cell, image: img, caption: strings.TrimSpace(clock(f.Time) + "  " + s.timecode(f))}
	if s.Labels != overlay.LabelOff && s.Labels != overlay.LabelThing {
		t.tags = s.tags(s.timeline, f)
	}
	s.thumbnails = append(s.thumbnails, t)
	return nil
}

// Prepare draws the sheet and writes it to disk.
func (s *Sheet) Prepare() error {
	if s.prepared {
		return nil
	}
	n, most := len(s.thumbnails), min(len(s.thumbnails), s.most)
	o := s.layout(s.columns, s.thumbs.w)
	o.Title = s.title(s.timeline, true)
	if most < s.most && s.Columns == 0 {
		o.Columns = 0 // as the number of frames suggests
	}
	cells := make([]sheet.Cell, most)
	for i := range cells {
		t := &s.thumbnails[(2*i+1)*n/(2*most)] // the middle of each part
		cells[i] = sheet.Cell{Image: t.image, Caption: t.caption, Tags: t.tags}
	}
	img, err := sheet.Draw(cells, *o)
	if err != nil {
		return fmt.Errorf("drawing %s: %w", s.Path, err)
	}
	s.thumbnails = nil
	return s.write(img)
}

// Bytes returns how much memory a sheet takes for frames of w×h.
func (s *Sheet) Bytes(w, h int) int64 {
	tw, th := largestThumbnail(w, h, s.Width, thumbnailArea)
	c, r := s.shape(tw, th)
	drawn, _ := s.layout(c, tw).Check(r, th) // Open has the error
	return keptBytes(c*r, 1, tw, th) + drawn
}

// timecode is that of a frame, empty if the source has none.
func (s *sheetFile) timecode(f *Frame) string {
	return timecodeAt(s.code, &s.info, f.Decoded.PTS)
}

// timecodeAt is the time code of a time, if code is that of the first frame; empty if that is
// none. It goes by time,
// not by index: frames of a variable rate keep that of the clock.
func timecodeAt(code timecode.Code, info *video.Info, pts int64) string {
	seconds := float64(pts-info.StartPTS) * info.TimeBase.Float()
	return code.Add(int64(math.Round(seconds * info.Rate().Float()))).String()
}

// clock writes a time to the millisecond.
func clock(d time.Duration) string {
	sign := ""
	if d < 0 {
		sign, d = "-", -d
	}
	ms := d.Round(time.Millisecond).Milliseconds()
	if h := ms / 3600000; h > 0 {
		return fmt.Sprintf("%s%d:%02d:%02d.%03d", sign, h, ms/60000%60, ms/1000%60, ms%1000)
	}
	return fmt.Sprintf("%s%d:%02d.%03d", sign, ms/60000, ms/1000%60, ms%1000)
}

// shortClock writes a time of a scale with so long steps.
func shortClock(d, step time.Duration) string {
	text := clock(d)
	if step%time.Second == 0 {
		return text[:len(text)-len(".000")]
	}
	return text[:len(text)-len("00")]
}

// title names the input, its size and length, and how much of it has each concept.
func (s *sheetFile) title(t *timeline, concepts bool) string {
	base := filepath.Base(s.info.Path)
	title := overlay.Drawable(strings.TrimSuffix(base, filepath.Ext(base)), "input") + overlay.Drawable(filepath.Ext(base), "")
	title += fmt.Sprintf("   %d×%d", s.width, s.height)
	if !s.info.Still {
		title += "   " + clock(t.grid.length())
	}
	for _, m := range t.order {
		if !concepts {
			break
		}
		title += fmt.Sprintf("   %s %s", m.name(), percent(m.frames, t.total()))
	}
	return title
}

// percent writes a share so that neither a little is nothing nor almost all is all.
func percent(n, of int64) string {
	switch p := 100 * n / max(of, 1); {
	case n == of || n == 0 || p > 0:
		return fmt.Sprintf("%d%%", p)
	default:
		return "<1%"
	}
}

// codeOf is the time code of the first frame, empty if there is none.
func codeOf(st *Stream) timecode.Code {
	if st.Info.Timecode == "" {
		return timecode.Code{}
	}
	rate := st.Info.Rate()
	c, err := timecode.Parse(st.Info.Timecode, int64(rate.Num), int64(rate.Den))
	if err != nil {
		return timecode.Code{} // times are enough
	}
	return c
}
