package carve

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"golang.org/x/image/draw"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking"
	"github.com/carve-video/carve/video"
)

// A sheetShot makes frames for sheets: grey ones, each brighter than the one before.
type sheetShot struct {
	reel    *video.Reel
	stream  *Stream
	w, h    int // of results
	queries []car.Query
}

func newSheetShot(t testing.TB, w, h int, labels ...string) *sheetShot {
	t.Helper()
	s := &sheetShot{reel: &video.Reel{Width: w, Height: h, TimeBase: video.Rational{Num: 1, Den: 1000}, Rate: video.Rational{Num: 25, Den: 1}}, w: 16, h: 9}
	if err := s.reel.Initialize(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.reel.Close)
	for i, l := range labels {
		s.queries = append(s.queries, car.Query{ID: i + 1, Label: l})
	}
	info := s.reel.Info()
	info.Path = "clip.mp4"
	s.stream = &Stream{Info: info, Queries: s.queries, Width: s.w, Height: s.h, Threads: 1}
	return s
}

// box is a query that is found in a rectangle of the result.
type box struct {
	query int
	image.Rectangle
	sure float32
}

// write gives a sink a frame of a grey at a time.
func (s *sheetShot) write(t testing.TB, sink Sink, index int64, at time.Duration, grey uint8, found ...box) {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, s.reel.Width, s.reel.Height))
	draw.Draw(img, img.Rect, image.NewUniform(color.Gray{grey}), image.Point{}, draw.Src)
	frame, err := s.reel.Frame(t.Context(), img, at.Milliseconds(), 40)
	if err != nil {
		t.Fatal(err)
	}
	defer frame.Release()
	f := &Frame{Index: index, Time: at, Decoded: frame, Queries: s.queries, Result: &car.Result{W: s.w, H: s.h}}
	for _, b := range found {
		probability := make([]float32, s.w*s.h)
		for y := b.Min.Y; y < b.Max.Y; y++ {
			for x := b.Min.X; x < b.Max.X; x++ {
				probability[y*s.w+x] = 1
			}
		}
		area := b.Dx() * b.Dy()
		c := car.Found{Query: b.query, Label: s.queries[b.query].Label, Probability: probability,
			Stats: car.Stats{Area: area, Coverage: float32(area) / float32(s.w*s.h), Box: b.Rectangle, Confidence: 1}}
		c.Score, c.Presence = b.sure, b.sure
		f.Result.Found = append(f.Result.Found, c)
	}
	if err := sink.Write(t.Context(), f); err != nil {
		t.Fatal(err)
	}
}

// finish writes the file of a sink and reads it.
func finish(t testing.TB, sink Committer, path string) image.Image {
	t.Helper()
	if err := errors.Join(sink.Prepare(), sink.Commit(), sink.Close()); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	img, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// TestSheetOfAnyLength: a sheet has as many frames as its grid has cells, evenly spaced and in
// order, or all frames of a shorter video. Few pictures are made and kept.
func TestSheetOfAnyLength(t *testing.T) {
	for _, n := range []int{1, 5, 12, 13, 100, 1500} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			shot := newSheetShot(t, 64, 36, "dog")
			path := filepath.Join(t.TempDir(), "sheet.png")
			s := &Sheet{Path: path, Columns: 4, Rows: 3, Width: 64}
			if err := s.Open(t.Context(), shot.stream); err != nil {
				t.Fatal(err)
			}
			made, last := 0, -1
			for i := range n {
				shot.write(t, s, int64(i), time.Duration(i)*40*time.Millisecond, uint8(30+200*i/n))
				if at := len(s.thumbnails); at > s.grid.room {
					t.Fatalf("%d pictures are kept, there is room for %d", at, s.grid.room)
				} else if c := s.thumbnails[at-1].cell; c != last {
					made, last = made+1, c
				}
			}
			img := finish(t, s, path)
			var frames []int // as their greys say
			for i := range 12 {
				x, y := 6+i%4*(64+6)+32, 34+i/4*(36+22)+18
				if image.Pt(x, y).In(img.Bounds()) {
					if g := color.GrayModel.Convert(img.At(x, y)).(color.Gray).Y; g > 28 {
						frames = append(frames, int(float64(int(g)-30)*float64(n)/200+.5))
					}
				}
			}
			if len(frames) != min(n, 12) || !slices.IsSorted(frames) {
				t.Fatalf("there are %d frames: %v", len(frames), frames)
			}
			for i := 1; i < len(frames); i++ {
				if gap, want := frames[i]-frames[i-1], float64(n)/float64(len(frames)); float64(gap) > math.Ceil(1.6*want)+float64(n)/100 || float64(gap) < 0.5*want-float64(n)/100 {
					t.Errorf("frame %d follows frame %d of %d: %v", frames[i], frames[i-1], n, frames)
				}
			}
			if n == 1500 && made > 250 {
				t.Errorf("%d pictures are made of %d frames", made, n)
			}
		})
	}
}

// TestSheetUpright: a frame is shown upright with square pixels, and its masks where the
// objects are.
func TestSheetUpright(t *testing.T) {
	shot := newSheetShot(t, 64, 36, "dog", "cat")
	shot.stream.Info.Orientation = video.Orientation{Transpose: true, FlipX: true}
	shot.stream.Info.SampleAspect = video.Rational{Num: 2, Den: 1} // 128×36 as it is stored
	shot.w, shot.h = 9, 32
	path := filepath.Join(t.TempDir(), "sheet.png")
	s := &Sheet{Path: path, Columns: 1, Rows: 1, Width: 90, Labels: 3}
	if err := s.Open(t.Context(), shot.stream); err != nil {
		t.Fatal(err)
	}
	shot.write(t, s, 0, 0, 128, box{1, image.Rect(0, 0, 9, 8), 1}) // the upper quarter
	img := finish(t, s, path)
	if got := img.Bounds().Size(); got.X != 90+12 || got.Y != 320+34+22 {
		t.Errorf("the sheet is %v", got)
	}
	tint := func(y int) bool {
		r, g, b, _ := img.At(6+45, 34+y).RGBA()
		return max(r, g, b)-min(r, g, b) > 0x1000
	}
	if !tint(40) || tint(130) || tint(300) {
		t.Errorf("the mask of the upper quarter is seen at 40: %v, 130: %v, 300: %v", tint(40), tint(130), tint(300))
	}
}

// TestSheetFiles: nothing remains of a sheet that is aborted, and what it replaced is restored.
func TestSheetFiles(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sheet.png")
	shot := newSheetShot(t, 64, 36, "dog")
	sinks := func() []Committer {
		return []Committer{&Sheet{Path: path, Overwrite: true}, &Strip{Path: path, Overwrite: true}}
	}
	for i, s := range sinks() {
		if err := s.(interface {
			Try(context.Context, *Stream) error
		}).Try(t.Context(), shot.stream); err != nil {
			t.Fatal(err)
		}
		if files, _ := os.ReadDir(dir); len(files) > 0 {
			t.Errorf("a trial leaves %v", files)
		}
		if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
			t.Fatal(err)
		}
		s = sinks()[i]
		if err := s.Open(t.Context(), shot.stream); err != nil {
			t.Fatal(err)
		}
		shot.write(t, s, 0, 0, 100)
		if err := errors.Join(s.Prepare(), s.Commit()); err != nil {
			t.Fatal(err)
		}
		s.Abort()
		s.Close()
		if data, _ := os.ReadFile(path); string(data) != "old" {
			t.Errorf("after an abort the file is %q", data)
		}
		if files, _ := os.ReadDir(dir); len(files) != 1 {
			t.Errorf("there are %v", files)
		}
		os.Remove(path)
	}
	for _, wrong := range []interface{ Check() error }{&Sheet{Path: "a.gif"}, &Sheet{Path: "a.png", Columns: -1}, &Sheet{Path: "a.png", Rows: 1e6},
		&Sheet{Path: "a.png", Width: 7}, &Strip{Path: "a"}, &Strip{Path: "a.jpg", Zoom: .5}, &Strip{Path: "a.jpg", Shaping: &Shaping{Grow: -1}}} {
		if wrong.Check() == nil {
			t.Errorf("%+v is taken", wrong)
		}
	}
	// What cannot be drawn at the end is not begun: pixels, and sides with the lines below frames.
	for _, large := range []Sink{&Sheet{Path: path, Columns: 200, Rows: 200, Width: 320}, &Sheet{Path: path, Columns: 200, Rows: 200, Width: 32},
		&Sheet{Path: path, Columns: 200, Rows: 1, Width: 100}, &Strip{Path: path, Columns: 200, Width: 100}} {
		if err := large.Open(t.Context(), shot.stream); err == nil {
			t.Errorf("%+v is begun", large)
		}
		large.Close()
	}
}

// TestSheetBytes: what is refused because its frames are too high needs no terabytes.
func TestSheetBytes(t *testing.T) {
	for _, s := range []interface{ Bytes(w, h int) int64 }{&Sheet{}, &Sheet{Width: 4096}} {
		if n := s.Bytes(1, 16384); n < 1<<20 || n > 2<<30 {
			t.Errorf("%+v takes %d bytes", s, n)
		}
	}
}

// TestStripOfMany: concepts for whose rows there is no room are named below the others.
func TestStripOfMany(t *testing.T) {
	if testing.Short() {
		t.Skip("slow under the race detector, and like TestStrip for it")
	}
	var labels []string
	var found []box
	for i := range maxRows {
		labels = append(labels, fmt.Sprint("concept ", i))
		found = append(found, box{i, image.Rect(0, 0, 16, 9), .9})
	}
	shot := newSheetShot(t, 16, 128, labels...) // a row of so high moments takes 308 pixels
	path := filepath.Join(t.TempDir(), "strip.png")
	s := &Strip{Path: path, Columns: 1, Width: 32, Zoom: 1}
	if err := s.Open(t.Context(), shot.stream); err != nil {
		t.Fatal(err)
	}
	shot.write(t, s, 0, 0, 100, found...)
	if h := finish(t, s, path).Bounds().Dy(); h > 1<<14 || h < 1<<14-2*308 {
		t.Errorf("the strip is %d pixels high", h)
	}
}

// TestStrip: a row has the moments at which the concept is seen best, and its bar says when it
// is there.
func TestStrip(t *testing.T) {
	shot := newSheetShot(t, 64, 36, "dog", "cat", "cow")
	path := filepath.Join(t.TempDir(), "strip.png")
	s := &Strip{Path: path, Columns: 3, Width: 64, Zoom: 1}
	if err := s.Open(t.Context(), shot.stream); err != nil {
		t.Fatal(err)
	}
	const n = 400
	small, large, cut := image.Rect(2, 2, 4, 4), image.Rect(4, 2, 9, 7), image.Rect(0, 0, 6, 6)
	for i := range n {
		var found []box
		if i >= 100 && i < 200 { // the cat comes near in a few frames, and is cut off before
			b := box{1, small, .9}
			switch {
			case i%40 == 20:
				b.Rectangle = large
			case i%40 < 20:
				b.Rectangle = cut
			}
			found = append(found, b)
		}
		if i%2 == 0 {
			found = append(found, box{2, small, .3})
		}
		shot.write(t, s, int64(i), time.Duration(i)*40*time.Millisecond, uint8(20+i/2), found...)
	}
	if got := s.timeline.bar(s.timeline.concepts[2], 8); got[1].part > .05 || got[2].part < .95 || got[3].part < .95 || got[4].part > .05 || got[2].sure < .85 {
		t.Errorf("the bar of the cat is %v", got)
	}
	if got := s.timeline.bar(s.timeline.concepts[3], 4); got[0].part < .45 || got[0].part > .55 || got[3].sure < .25 || got[3].sure > .35 {
		t.Errorf("the bar of the cow is %v", got)
	}
	cat := s.draw(s.timeline.concepts[2])
	if len(cat.Cells) != 3 || len(cat.Marks) != 3 {
		t.Fatalf("the cat has %d moments", len(cat.Cells))
	}
	for i, m := range cat.Marks {
		if frame := int(m*n + .5); frame != 100 && frame%40 != 20 {
			t.Errorf("moment %d of the cat is frame %d", i, frame)
		}
	}
	if dog := s.draw(s.timeline.concepts[1]); len(dog.Cells) != 0 || dog.Notes[0] != "not found" {
		t.Errorf("the dog has %d moments: %v", len(dog.Cells), dog.Notes)
	}
	img := finish(t, s, path)
	if w := img.Bounds().Dx(); w != 6+190+3*(64+6) {
		t.Errorf("the strip is %v", img.Bounds())
	}
}

// TestStripView: a view holds the box, has the shape of the frame and lies in it.
func TestStripView(t *testing.T) {
	for _, b := range []image.Rectangle{image.Rect(0, 0, 3, 3), image.Rect(150, 80, 160, 90), image.Rect(70, 10, 90, 80), image.Rect(0, 0, 160, 90)} {
		v := viewAt(b, 160, 90, 3)
		if !b.In(v) || !v.In(image.Rect(0, 0, 160, 90)) || v.Dx() < 160/3 || max(v.Dx()*9-v.Dy()*16, v.Dy()*16-v.Dx()*9) > 16 {
			t.Errorf("of %v the view is %v", b, v)
		}
	}
}

// TestTimeGrid: cells are in order and bounded in number, whatever the times are.
func TestTimeGrid(t *testing.T) {
	g := timeGrid{room: 10}
	for _, at := range []time.Duration{-5 * time.Second, -4990 * time.Millisecond, 0, time.Hour, time.Minute, 2 * time.Minute} {
		g.advance(at)
		if g.cell() < 0 || g.cell() >= g.room {
			t.Errorf("%v is in cell %d", at, g.cell())
		}
	}
	// Of the step back from an hour to a minute nothing counts.
	if want := time.Hour + 5*time.Second + time.Minute; g.clock != want {
		t.Errorf("%v have passed, not %v", g.clock, want)
	}
}

// TestViewOf: a view has its part of masks and of instances, of the queries that are shown.
func TestViewOf(t *testing.T) {
	result := &car.Result{W: 4, H: 2, Found: []car.Found{
		{Query: 0, Probability: []float32{0, 0, 1, 1, 0, 0, 1, .5}},
		{Query: 1, Probability: make([]float32, 8)},
	}}
	instances := []tracking.Instance{{Query: 0, ID: 7, Mask: []uint8{1, 0, 0, 1, 0, 0, 1, 1}}, {Query: 1, Mask: make([]uint8, 8)}}
	part, own := viewOf(result, instances, image.Rect(2, 0, 4, 2), 100, 1, func(q int) bool { return q == 0 })
	if part.W != 2 || part.H != 1 || len(part.Found) != 1 || !slices.Equal(part.Found[0].Probability, []float32{1, .75}) {
		t.Errorf("the view is %+v", part)
	}
	if len(own) != 1 || own[0].ID != 7 || !slices.Equal(own[0].Mask, []uint8{1, 1}) {
		t.Errorf("its instances are %+v", own)
	}
	if result.Found[0].Probability[2] != 1 || instances[0].Mask[0] != 1 {
		t.Error("the frame, which belongs to all sinks, is changed")
	}
}

// TestShrink: areas are averaged, and the mean stays.
func TestShrink(t *testing.T) {
	got := shrink([]float32{0, 1, 1, 0, 0, 1}, 3, 2, 2, 1)
	if want := []float32{1. / 6, 5. / 6}; max(got[0]-want[0], want[0]-got[0], got[1]-want[1], want[1]-got[1]) > 1e-6 {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestClock writes times as players do.
func TestClock(t *testing.T) {
	for d, want := range map[time.Duration]string{0: "0:00.000", 61500 * time.Millisecond: "1:01.500", time.Hour + 59999600*time.Microsecond: "1:01:00.000", -time.Second: "-0:01.000"} {
		if got := clock(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
}

// BenchmarkSheets: what a frame costs that is not shown, with eight concepts in it.
func BenchmarkSheets(b *testing.B) {
	var labels []string
	var found []car.Found
	for i := range 8 {
		labels = append(labels, fmt.Sprint("concept ", i))
		found = append(found, car.Found{Query: i, Stats: car.Stats{Area: 9, Coverage: .01, Box: image.Rect(2, 2, 5, 5), Confidence: 1}})
	}
	for name, sink := range map[string]func(path string) Committer{
		"sheet": func(path string) Committer { return &Sheet{Path: path} },
		"strip": func(path string) Committer { return &Strip{Path: path} },
	} {
		b.Run(name, func(b *testing.B) {
			s := sink(filepath.Join(b.TempDir(), "a.png"))
			shot := newSheetShot(b, 640, 360, labels...)
			if err := s.Open(b.Context(), shot.stream); err != nil {
				b.Fatal(err)
			}
			frame, err := shot.reel.Frame(b.Context(), image.NewRGBA(image.Rect(0, 0, 640, 360)), 0, 40)
			if err != nil {
				b.Fatal(err)
			}
			defer frame.Release()
			for i := range found {
				found[i].Probability = make([]float32, shot.w*shot.h)
			}
			f := &Frame{Decoded: frame, Queries: shot.queries, Result: &car.Result{W: shot.w, H: shot.h, Found: found}}
			write := func() {
				if err := s.Write(b.Context(), f); err != nil {
					b.Fatal(err)
				}
				f.Index++
			}
			f.Time = time.Hour // a cell is long by now
			write()
			f.Time += time.Hour
			write()
			for b.Loop() {
				f.Time += time.Microsecond
				write()
			}
			s.Abort()
			s.Close()
		})
	}
}
