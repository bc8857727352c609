package carve

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/sheet"
	"github.com/carve-video/carve/video/overlay"
)

// A Strip is a sink that writes one image with a row for each concept: the moments at which
// it is seen best, and a bar that says when and how surely it is seen.
//
// As for a [Sheet], the length of the video need not be known.
type Strip struct {
	// Path is the file: .png, .jpg or .jpeg.
	Path string
	// Columns is the number of moments, 6 by default.
	Columns int
	// Width is that of a moment in pixels. By default it has as many pixels as 240×135.
	Width int
	// Zoom is how much a small object is enlarged at most, 3 by default; with 1 each moment
	// is a whole frame.
	Zoom float64
	// Palette has the colours of queries without a colour of their own.
	Palette overlay.Palette
	// Concepts are the labels of the queries that have rows; none stands for all.
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
	grid     timeGrid
	timeline *timeline
	rows     map[int]*stripRow // by ID of the query
}

// A stripRow has the best moment of a concept in each cell of time.
type stripRow struct{ cells []stripMoment }

// A stripMoment is a frame that may be in a row. Its image is nil if there is none.
type stripMoment struct {
	quality  float64
	image    *image.RGBA
	at       time.Duration // since the first frame
	captions []string
}

const (
	stripColumns = 6
	stripArea    = 240 * 135
	stripZoom    = 3
	// maxRows bounds the rows. Other concepts are named below them.
	maxRows = 64
	// clearlyBetter is how much better a frame has to be than the picture that there is, so
	// that an object which comes nearer does not need one with every frame.
	clearlyBetter = 1.1
)

// Traits implements [Traited]. Masks are made for the moments in the strip alone.
func (s *Strip) Traits() Traits { return Traits{Name: "strip", NoMasks: true} }

// Paths implements [FileSink].
func (s *Strip) Paths() []string { return []string{s.Path} }

// Check finds what is wrong with the options alone, before there is a source.
func (s *Strip) Check() error {
	if s.Zoom != 0 && !(s.Zoom >= 1 && s.Zoom <= 16) {
		return fmt.Errorf("the zoom is %g; it can be 1 to 16", s.Zoom)
	}
	return checkSheet(s.Path, s.Columns, s.Width, s.Shaping)
}

func (s *Strip) columns() int { return cmp.Or(s.Columns, stripColumns) }

// Open checks the options and creates the file, under a temporary name.
func (s *Strip) Open(_ context.Context, st *Stream) error {
	if err := s.start(st); err != nil {
		return err
	}
	return s.create(s.Path, s.Overwrite, s.Protect)
}

// start is Open without the file.
func (s *Strip) start(st *Stream) error {
	if err := s.Check(); err != nil {
		return fmt.Errorf("opening %s: %w", s.Path, err)
	}
	s.Zoom = cmp.Or(s.Zoom, stripZoom)
	style := overlay.DefaultStyle()
	style.Labels = overlay.LabelOff
	w, h, err := s.open(st, sheetView{s.Width, stripArea, s.Zoom, style, s.Shaping, s.Palette, s.Concepts})
	rows := stripRows(len(st.Queries), len(s.only))
	if err == nil {
		err = checkPixels(s.columns()*rows, w, h)
	}
	if err == nil {
		_, err = s.layout(w, h).Check(rows)
	}
	if err != nil {
		return fmt.Errorf("opening %s: %w", s.Path, err)
	}
	s.grid.room = roomFor(s.columns(), rows, w, h)
	s.timeline = newTimeline()
	s.rows = make(map[int]*stripRow)
	return nil
}

// stripRows is the number of rows at first: of all queries, or of those that are chosen.
func stripRows(queries, chosen int) int {
	if chosen > 0 {
		queries = chosen
	}
	return min(max(queries, 1), maxRows)
}

// layout says how moments of w×h are laid out.
func (s *Strip) layout(w, h int) *sheet.StripOptions {
	return &sheet.StripOptions{Columns: s.columns(), CellWidth: w, CellHeight: h}
}

// Try reports the error that Open would return, and leaves nothing behind.
func (s *Strip) Try(_ context.Context, st *Stream) error {
	err := s.start(st)
	if err == nil {
		err = s.tryCreate(s.Path, s.Overwrite, s.Protect)
	}
	s.Abort()
	_ = s.Close()
	return err
}

// Write takes a picture of each concept that is seen better than before.
func (s *Strip) Write(_ context.Context, f *Frame) error {
	s.note(s.timeline, f)
	s.merge(s.grid.advance(f.Time))
	for i := range f.Result.Found {
		found := &f.Result.Found[i]
		if found.Area == 0 || !s.shown(f)(found.Query) {
			continue
		}
		row := s.row(queryID(f.Queries[found.Query], found.Query))
		if row == nil {
			continue
		}
		m := &row.cells[s.grid.cell()]
		quality := qualityOf(f, found)
		if m.image != nil && quality <= m.quality*clearlyBetter {
			continue
		}
		img, err := s.thumbs.picture(f, viewAt(found.Box, f.Result.W, f.Result.H, s.Zoom), func(q int) bool { return q == found.Query })
		if err != nil {
			return err
		}
		*m = stripMoment{quality, img, s.grid.clock, s.captions(f, found.Query)}
	}
	return nil
}

// captions are the lines below a moment.
func (s *Strip) captions(f *Frame, query int) []string {
	lines := []string{fmt.Sprintf("%s  %.2f", clock(f.Time), sureness(f, query))}
	if code := s.timecode(f); code != "" {
		lines = append(lines, code)
	}
	return lines
}

// row returns the row of a concept, which may be a new one; nil if there is no room.
func (s *Strip) row(id int) *stripRow {
	row := s.rows[id]
	if row != nil || len(s.rows) == maxRows {
		return row
	}
	row = &stripRow{cells: make([]stripMoment, candidates*s.columns()+1)}
	s.rows[id] = row
	// More rows have room for fewer pictures each.
	s.grid.room = min(s.grid.room, roomFor(s.columns(), len(s.rows), s.thumbs.w, s.thumbs.h))
	s.merge(s.grid.fit())
	return row
}

// merge keeps the better one of each two neighbouring moments, some times.
func (s *Strip) merge(times int) {
	for range times {
		for _, row := range s.rows {
			row.cells = halve(row.cells, func(a, b stripMoment) stripMoment {
				if b.quality > a.quality {
					return b
				}
				return a
			})
		}
	}
}

// qualityOf says how well a concept is seen: surely, large, and not cut off by the edge of
// the frame. Beyond a fifth of the frame size does not matter.
func qualityOf(f *Frame, found *car.Found) float64 {
	const enough, cutOff = 0.2, 0.7
	q := float64(sureness(f, found.Query)*found.Confidence) * math.Sqrt(min(float64(found.Coverage), enough))
	if b := found.Box; b.Min.X == 0 || b.Min.Y == 0 || b.Max.X == f.Result.W || b.Max.Y == f.Result.H {
		q *= cutOff
	}
	return q
}

// viewAt returns the part of a frame of w×h, of its shape, that shows a box with what is
// around it.
func viewAt(box image.Rectangle, w, h int, zoom float64) image.Rectangle {
	const around = 1.7
	part := max(around*float64(box.Dx())/float64(w), around*float64(box.Dy())/float64(h), 1/zoom)
	if part >= 1 {
		return image.Rect(0, 0, w, h)
	}
	vw, vh := max(int(float64(w)*part), 1), max(int(float64(h)*part), 1)
	x := min(max((box.Min.X+box.Max.X-vw)/2, 0), w-vw)
	y := min(max((box.Min.Y+box.Max.Y-vh)/2, 0), h-vh)
	return image.Rect(x, y, x+vw, y+vh)
}

// Prepare draws the strip and writes it to disk.
func (s *Strip) Prepare() error {
	if s.prepared {
		return nil
	}
	o := s.layout(s.thumbs.w, s.thumbs.h)
	o.Title = s.title(s.timeline, false)
	var rows []sheet.Row
	var rest []string
	most := 0
	for _, m := range s.timeline.order {
		if len(rows) == maxRows || m.frames > 0 && s.rows[m.id] == nil {
			rest = append(rest, m.name())
			continue
		}
		rows = append(rows, s.draw(m))
		most = max(most, len(rows[len(rows)-1].Cells))
	}
	o.Columns = min(o.Columns, max(most, 3))
	// Rows are as many as the video has concepts, so that they may not all have room.
	room := o.Room(rows)
	for i := len(rows) - 1; i >= room; i-- {
		rest = slices.Insert(rest, 0, rows[i].Name)
	}
	rows = rows[:room]
	for i := range rows {
		for _, l := range s.timeline.bar(s.timeline.concepts[rows[i].ID], o.BarWidth()) {
			rows[i].Bar = append(rows[i].Bar, sheet.Level{Part: l.part, Height: l.sure})
		}
	}
	if len(rest) > 0 {
		o.Footer = fmt.Sprintf("and %d more: %s", len(rest), strings.Join(rest, ", "))
	}
	if !s.info.Still {
		o.Ticks = ticks(s.timeline.grid.length(), o.BarWidth())
	}
	img, err := sheet.DrawStrip(rows, *o)
	if err != nil {
		return fmt.Errorf("drawing %s: %w", s.Path, err)
	}
	s.rows = nil
	return s.write(img)
}

// draw returns the row of a concept, without its bar.
func (s *Strip) draw(m *moments) sheet.Row {
	row := sheet.Row{ID: m.id, Name: m.name(), Color: m.colour, Notes: []string{"not found"}}
	if m.frames == 0 || s.rows[m.id] == nil {
		return row
	}
	row.Notes = []string{fmt.Sprintf("%s of frames, best %.2f", percent(m.frames, s.timeline.total()), m.best)}
	if !s.info.Still {
		row.Notes = append(row.Notes, clock(m.first)+" to "+clock(m.latest))
	}
	var seen []stripMoment
	for _, c := range s.rows[m.id].cells {
		if c.image != nil {
			seen = append(seen, c)
		}
	}
	n := min(len(seen), s.columns())
	for i := range n {
		best := stripMoment{}
		for _, c := range seen[i*len(seen)/n : (i+1)*len(seen)/n] {
			if c.quality > best.quality || best.image == nil {
				best = c
			}
		}
		row.Cells = append(row.Cells, best.image)
		row.Captions = append(row.Captions, best.captions)
		row.Marks = append(row.Marks, float64(best.at)/float64(s.timeline.grid.length()))
	}
	return row
}

// Bytes returns how much memory a strip for some queries takes for frames of w×h.
func (s *Strip) Bytes(w, h, queries int) int64 {
	tw, th := largestThumbnail(w, h, s.Width, stripArea)
	zoom := cmp.Or(s.Zoom, stripZoom)
	const full = 3 + 4 // bytes of a pixel of the image that views are cut from
	rows := stripRows(queries, len(s.Concepts))
	drawn, _ := s.layout(tw, th).Check(rows) // Open has the error
	return keptBytes(s.columns(), rows, tw, th) + drawn + int64(full*zoom*zoom*float64(tw*th))
}

// ticks divides the length of a video into round times, of which there is one in 90 pixels at
// most.
func ticks(length time.Duration, width int) (list []sheet.Tick) {
	least := length * 90 / time.Duration(max(width, 1))
	step := 24 * time.Hour
	for _, s := range []time.Duration{100, 200, 500, 1e3, 2e3, 5e3, 10e3, 15e3, 30e3, 60e3, 120e3, 300e3, 600e3, 900e3, 1800e3, 3600e3, 7200e3, 6 * 3600e3} {
		if s*time.Millisecond >= least {
			step = s * time.Millisecond
			break
		}
	}
	for at := time.Duration(0); at < length; at += step {
		list = append(list, sheet.Tick{At: float64(at) / float64(length), Text: shortClock(at, step)})
	}
	return list
}
