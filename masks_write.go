package carve

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"io/fs"
	"slices"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/bounded"
	"github.com/carve-video/carve/internal/davis"
	"github.com/carve-video/carve/internal/maskmanifest"
	"github.com/carve-video/carve/internal/parallel"
	"github.com/carve-video/carve/internal/pathpattern"
)

// prepareFiles makes what Write needs.
func (m *Masks) prepareFiles() error {
	m.format.setSize(m.stream.Info)
	if m.palette = davis.Palette(); m.format.indexed {
		m.format.palette = m.palette
		m.labels = make([]uint8, m.stream.Info.Width*m.stream.Info.Height)
		m.best = make([]uint8, len(m.labels))
		m.files = []*maskFiles{{pattern: m.pattern}}
	}
	threads := max(m.stream.Threads, 1)
	w, h := m.stream.Info.Width, m.stream.Info.Height
	for range threads {
		e := newMaskEncoder(&m.format)
		if !m.format.indexed {
			var err error
			if e.shaper, err = newMaskShaper(m.Shaping, w, h, 1); err != nil {
				return err
			}
		}
		m.encoders = append(m.encoders, e)
	}
	if m.format.indexed {
		var err error
		if m.shaper, err = newMaskShaper(m.Shaping, w, h, threads); err != nil {
			return err
		}
	}
	// Which queries there are is known; whether they have room is reported before work.
	return m.set(context.Background(), m.stream.Queries)
}

// begin removes the files of an earlier sequence, once.
func (m *Masks) begin() error {
	if m.begun || !m.Overwrite {
		m.begun = true
		return nil
	}
	m.begun = true
	for _, name := range []string{maskmanifest.Incomplete, maskmanifest.File} {
		data, err := bounded.ReadFS(m.series.FS(), name, maskmanifest.Limits.Bytes)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		earlier, err := maskmanifest.Unmarshal(data)
		if err != nil {
			continue // it is of another program, and lists nothing
		}
		if name == maskmanifest.File {
			err = m.series.RemoveManifest()
		} else {
			err = m.series.Remove(slices.Values([]string{name}))
		}
		if err != nil {
			return err
		}
		if m.restored && name == maskmanifest.Incomplete {
			continue // this run goes on after its files
		}
		if err := m.series.Remove(earlier.Names()); err != nil {
			return err
		}
	}
	return nil
}

// Write writes the files of a frame.
func (m *Masks) Write(ctx context.Context, f *Frame) error {
	if err := m.begin(); err != nil {
		return err
	}
	if len(m.pts) == 0 {
		m.first = f.Index
	} else if want := m.first + int64(len(m.pts)); f.Index != want {
		return fmt.Errorf("frame %d comes where frame %d is due: the sequence would have a hole", f.Index, want)
	}
	if err := m.set(ctx, f.Queries); err != nil {
		return err
	}
	pts := int64(0)
	if f.Decoded != nil {
		pts = f.Decoded.PTS
	}
	m.pts = append(m.pts, pts)
	for _, files := range m.files {
		files.masks = files.masks[:0]
	}
	clear(m.labels)
	m.see(f)
	for i := range f.Layers {
		if err := m.take(ctx, f, &f.Layers[i]); err != nil {
			return err
		}
	}
	if m.format.indexed {
		m.files[0].masks = append(m.files[0].masks, m.labels)
	}
	if err := m.writeFrame(ctx); err != nil {
		return err
	}
	m.written++
	m.count()
	return nil
}

// time returns what names of files say of the i-th frame that was written.
func (m *Masks) time(i int) pathpattern.Time {
	t := pathpattern.Time{Frame: m.start + m.first + int64(i), PTS: m.pts[i]}
	if m.pattern.Has(pathpattern.Timecode) {
		t.Timecode = timecodeAt(m.code, &m.stream.Info, t.PTS)
	}
	return t
}

// set takes up the queries that are new.
func (m *Masks) set(ctx context.Context, queries []car.Query) error {
	for i, q := range queries {
		if id := queryID(q, i); m.concept(id) != nil || !m.only.has(id) {
			continue
		}
		colours, err := Colours(queries)
		if err != nil {
			return err
		}
		q.ID = queryID(q, i)
		if _, err := m.add(ctx, q, hex(colours[i])); err != nil {
			return err
		}
	}
	return nil
}

// add adds a concept, which has an ID and a colour.
func (m *Masks) add(ctx context.Context, q car.Query, colour string) (_ *maskConcept, err error) {
	c := &maskConcept{name: m.names.Add(q.Label)}
	c.Label, c.ID, c.Colour = q.Label, q.ID, colour
	m.concepts = append(m.concepts, c)
	switch {
	case m.split() == SplitConcept:
		if c.files, err = m.newFiles(ctx, c.name, ""); err != nil {
			return nil, err
		}
		c.Files = c.files.pattern.String()
	case m.format.indexed && !m.Instances:
		if len(m.concepts) > maxIndex {
			return nil, errNumbers
		}
		c.Index, c.Palette = len(m.concepts), m.hex(len(m.concepts))
	}
	return c, nil
}

// forget removes all concepts, before the first frame.
func (m *Masks) forget() {
	m.concepts, m.numbered, m.names = nil, nil, pathpattern.Names{}
	if !m.format.indexed {
		m.files = nil
	}
}

// newFiles begins a sequence of files, with empty images for all frames that have been
// written.
func (m *Masks) newFiles(ctx context.Context, concept, instance string) (*maskFiles, error) {
	p := m.pattern.Fill(pathpattern.Concept, concept)
	if instance != "" {
		p = p.Fill(pathpattern.Instance, instance)
	}
	files := &maskFiles{pattern: p}
	m.files = append(m.files, files)
	return files, m.each(ctx, m.written, func(e *maskEncoder, i int) error {
		data, err := e.empty()
		if err != nil {
			return err
		}
		return m.series.WriteFile(p.File(m.time(i)), data)
	})
}

// take brings a layer of a frame to the files that it belongs to.
func (m *Masks) take(ctx context.Context, f *Frame, l *Layer) (err error) {
	c := m.concept(queryID(f.Queries[l.Query], l.Query))
	if c == nil {
		return nil // not one of those that are written
	}
	info := &m.stream.Info
	if len(l.Mask) != info.Width*info.Height {
		return fmt.Errorf("frame %d: the mask of %s has %d pixels, not %dx%d", f.Index, l.Label, len(l.Mask), info.Width, info.Height)
	}
	var in *maskInstance
	if m.Instances || m.split() == SplitInstance {
		if in, err = m.instance(ctx, c, l.Instance); err != nil {
			return err
		}
	}
	if m.shaper != nil {
		m.shaper.begin()
		shaped := *l
		shaped.Mask = m.shaper.shape(l.Mask)
		shaped.Extent = image.Rect(0, 0, info.Width, info.Height)
		shaped.Box = boxOf(shaped.Mask, info.Width, shaped.Extent)
		l = &shaped
	}
	switch {
	case m.split() == SplitConcept:
		c.files.masks = append(c.files.masks, l.Mask)
	case m.split() == SplitInstance:
		in.files.masks = append(in.files.masks, l.Mask)
	case m.Instances:
		m.paint(l, uint8(in.Index))
		in.visible = in.visible || !l.Box.Empty()
	default:
		m.paint(l, uint8(c.Index))
		c.visible = c.visible || !l.Box.Empty()
	}
	return nil
}

// count counts what the images of a frame show, as they were shaped.
func (m *Masks) count() {
	for _, c := range m.concepts {
		if c.files != nil {
			c.visible = c.files.visible
		}
		for _, in := range c.instances {
			if in.files != nil {
				in.visible = in.files.visible
			}
			if in.visible {
				in.Present++
				c.visible = true
			}
			in.visible = false
		}
		if c.visible {
			c.Present++
		}
		c.visible = false
	}
}

// paint gives the pixels inside a mask a number, unless they are more inside another.
func (m *Masks) paint(l *Layer, number uint8) {
	w := m.stream.Info.Width
	for y := l.Box.Min.Y; y < l.Box.Max.Y; y++ {
		from, to := y*w+l.Box.Min.X, y*w+l.Box.Max.X
		mask := l.Mask[from:to]
		labels, best := m.labels[from:to][:len(mask)], m.best[from:to][:len(mask)]
		for x := 0; x < len(mask); x++ {
			if x+8 <= len(mask) && binary.LittleEndian.Uint64(mask[x:])&insideBits == 0 {
				x += 7 // eight pixels outside
				continue
			}
			if v := mask[x]; v >= inside && (labels[x] == 0 || v > best[x]) {
				labels[x], best[x] = number, v
			}
		}
	}
}

// writeFrame writes the files of a frame at the same time.
func (m *Masks) writeFrame(ctx context.Context) error {
	now := m.time(m.written)
	return m.each(ctx, len(m.files), func(e *maskEncoder, i int) error {
		data, visible, err := e.encode(m.files[i].masks)
		if err != nil {
			return err
		}
		m.files[i].visible = visible
		return m.series.WriteFile(m.files[i].pattern.File(now), data)
	})
}

// each calls work for 0 to n-1, with as many goroutines as there are encoders. It
// returns the first error.
func (m *Masks) each(ctx context.Context, n int, work func(e *maskEncoder, i int) error) error {
	errs := make([]error, len(m.encoders))
	parallel.Do(len(m.encoders), n, func(worker, from, to int) {
		for i := from; i < to && errs[worker] == nil; i++ {
			if errs[worker] = context.Cause(ctx); errs[worker] == nil {
				errs[worker] = work(m.encoders[worker], i)
			}
		}
	})
	return cmp.Or(errs...)
}
