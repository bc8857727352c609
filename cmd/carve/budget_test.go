package main

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"math"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/carve-video/carve/internal/limits"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/video"
)

func TestByteSize(t *testing.T) {
	for s, want := range map[string]int64{
		"2G": 2e9, "512M": 512e6, "1500MiB": 1500 << 20, "1.5GB": 15e8, "2 GiB": 2 << 30, "7000000": 7e6, "1 B": 1, "3gb": 3e9, "4k": 4000,
	} {
		var b byteSize
		if err := b.Set(s); err != nil || int64(b) != want {
			t.Errorf("%q: %d, %v; want %d", s, b, err, want)
		}
	}
	for _, s := range []string{"", "0", "-1G", "+1G", "G", "2X", "1e9", "1,5G", "nan", "inf", "20EiB", "99999999999999999999", "2G2G", "٣G", "0x10", "1.5", "2", "999999"} {
		if b := new(byteSize); b.Set(s) == nil {
			t.Errorf("%q is taken for %d", s, *b)
		}
	}
}

func FuzzByteSize(f *testing.F) {
	for _, s := range []string{"2G", "1500MiB", "-1", "9e99", "1.5 TB"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if b := new(byteSize); b.Set(s) == nil && *b <= 0 {
			t.Errorf("%q is %d", s, *b)
		}
	})
}

// optionsOf parses a command line of carve segment.
func optionsOf(t *testing.T, line ...string) *segmentOptions {
	t.Helper()
	o := new(segmentOptions)
	if err := newSegmentFlags(o).Parse(append([]string{"-i", "in.mp4", "-o", "out.mp4", "-q", "dog", "-m", "demo"}, line...)); err != nil {
		t.Fatal(err)
	}
	if err := o.parseOutputs(); err != nil {
		t.Fatal(err)
	}
	return o
}

// TestBudgetPictures: the pictures that sheets keep are counted, and sheets are no mask
// sequences.
func TestBudgetPictures(t *testing.T) {
	c := video.Coded{Codec: "h264", Width: 1920, Height: 1080, PixelFormat: "yuv420p"}
	plan := func(line ...string) plan {
		b := optionsOf(t, line...).budget(320, 2)
		if _, err := b.afford(c); err != nil {
			t.Fatal(err)
		}
		return b.plan
	}
	bare, sheets := plan(), plan("-o", "sheet,columns=10,rows=10:a.png", "-o", "strip:b.png")
	const picture = 320 * 180 * 4
	if bare.pictures != 0 || sheets.pictures < 300*picture || sheets.pictures > 700*picture || sheets.sequences != 0 {
		t.Errorf("pictures are %d bytes, and %d with sheets; %d sequences", bare.pictures, sheets.pictures, sheets.sequences)
	}
	if got := sheets.total() - bare.total(); got != sheets.pictures {
		t.Errorf("sheets take %d bytes, of which %d are counted", sheets.pictures, got)
	}
}

// TestBudgetSideBySide: an encoder of frames twice as wide takes twice as much.
func TestBudgetSideBySide(t *testing.T) {
	c := video.Coded{Codec: "h264", Width: 640, Height: 360, PixelFormat: "yuv420p"}
	encoder := func(spec string) int64 {
		o := optionsOf(t)
		o.outputs = []string{spec}
		if err := o.parseOutputs(); err != nil {
			t.Fatal(err)
		}
		b := o.budget(320, 1)
		if _, err := b.afford(c); err != nil {
			t.Fatal(err)
		}
		return b.plan.encoder()
	}
	if over, side := encoder("out.mp4"), encoder("overlay,layout=side:out.mp4"); over == 0 || side != 2*over {
		t.Errorf("the encoder takes %d bytes, and %d with frames side by side", over, side)
	}
}

// TestBudget: what is reduced, in which order, and what never is.
func TestBudget(t *testing.T) {
	coded := func(w, h int) video.Coded {
		return video.Coded{Codec: "h264", Width: w, Height: h, Rate: video.Rational{Num: 25, Den: 1}}
	}
	budgetOf := func(most int64, line ...string) *budget {
		b := optionsOf(t, line...).budget(640, 2)
		b.target, b.limit, b.limitedBy, b.processors = most, most, "--max-memory is so much", 8
		return b
	}
	const out = "out.mp4"
	held := 8 // the default look-ahead
	b := budgetOf(64 << 30)
	if m, err := b.afford(coded(1920, 1080)); err != nil || m.Frames != held+video.DefaultFrames || m.Threads != 0 || b.encoders[out] != (video.Encoding{}) {
		t.Errorf("with plenty: %+v, %+v, %v", m, b.plan, err)
	}
	all := b.plan.total()
	// A little less, and only the queue gets shorter.
	b = budgetOf(all - 1)
	if m, err := b.afford(coded(1920, 1080)); err != nil || m.Frames != held+video.DefaultFrames-1 || m.Threads != 0 || b.encoders[out] != (video.Encoding{}) {
		t.Errorf("with a little less: %+v, %+v, %v", m, b.plan, err)
	}
	// The smallest budget: everything that may be reduced is.
	b = budgetOf(1)
	b.limit = 0
	if m, err := b.afford(coded(1920, 1080)); err != nil || m.Frames != held+1 || b.encoders[out] != (video.Encoding{Threads: 1, Lookahead: video.LeastLookahead}) {
		t.Errorf("with next to nothing: %+v, %+v, %v", m, b.plan, err)
	}
	least := b.plan.total()
	if least >= all {
		t.Errorf("the least, %d bytes, is no less than all, %d", least, all)
	}
	if _, err := budgetOf(least).afford(coded(1920, 1080)); err != nil {
		t.Errorf("the least is refused: %v", err)
	}
	_, err := budgetOf(least - 1).afford(coded(1920, 1080))
	if !errors.Is(err, errMemory) {
		t.Errorf("a byte less than the least: %v", err)
	}
	for _, want := range []string{ui.SizeRoundedUp(least), "frames of 1920x1080 with --lookahead 8f", "--max-memory is so much"} {
		if !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%v: does not say %q", err, want)
		}
	}
	// Every part grows with the frame size, whatever the options.
	small, large := budgetOf(math.MaxInt64), budgetOf(math.MaxInt64)
	small.afford(coded(640, 360))
	large.afford(coded(1280, 720))
	if s, l := small.plan, large.plan; s.frame() >= l.frame() || s.Decoder(1) >= l.Decoder(1) || s.drawing() >= l.drawing() || s.encoder() >= l.encoder() {
		t.Errorf("%v of 640x360, %v of 1280x720", &s, &l)
	}
	// The frame size may grow midway as far as the budget allows, and is then accepted.
	b = budgetOf(2 * all)
	if m, _ := b.afford(coded(1920, 1080)); m.Pixels <= 1920*1080 || m.Pixels > video.DefaultPixels {
		t.Errorf("pictures of up to %d pixels", m.Pixels)
	}
	// If not all processors may be used, decoder and encoder get a number of threads.
	b = budgetOf(64 << 30)
	b.processors, b.restricted = 2, true
	if m, _ := b.afford(coded(1920, 1080)); m.Threads != 3 || b.encoders[out].Threads != 3 {
		t.Errorf("with two of many processors: %+v, %d threads to encode", m, b.encoders[out].Threads)
	}
	// An image is one frame.
	still := coded(1920, 1080)
	still.Still = true
	if m, err := budgetOf(64 << 30).afford(still); err != nil || m.Frames != 1 {
		t.Errorf("an image: %+v, %v", m, err)
	}
}

func TestFramesHeld(t *testing.T) {
	for _, c := range []struct {
		line []string
		rate video.Rational
		want int
	}{
		{nil, video.Rational{Num: 25, Den: 1}, 8},
		{[]string{"--lookahead", "0f"}, video.Rational{Num: 25, Den: 1}, 0},
		{[]string{"--lookahead", "2"}, video.Rational{Num: 25, Den: 1}, 50},
		{[]string{"--lookahead", "2"}, video.Rational{Num: 240, Den: 1}, 120},
		{[]string{"--memory", "off"}, video.Rational{Num: 25, Den: 1}, 0},
		{[]string{"--memory", "off", "--batch", "32"}, video.Rational{Num: 25, Den: 1}, 31},
		{[]string{"--every", "1", "--batch", "32", "--lookahead", "120f"}, video.Rational{}, 151},
		{[]string{"--batch", "32"}, video.Rational{}, 8}, // it is of no use there
	} {
		if got := optionsOf(t, c.line...).framesHeld(c.rate); got != c.want {
			t.Errorf("%v at %v: %d, want %d", c.line, c.rate, got, c.want)
		}
	}
}

// writeTestVideo writes a small video of n frames of a moving pattern.
func writeTestVideo(t *testing.T, n int) string {
	t.Helper()
	const w, h = 96, 64
	r := &video.Reel{Width: w, Height: h, TimeBase: video.Rational{Num: 1, Den: 25}, Rate: video.Rational{Num: 25, Den: 1}}
	if err := r.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	path := filepath.Join(t.TempDir(), "video.mp4")
	sink := &video.Sink{Path: path, Reel: r, Preset: "ultrafast"}
	if err := sink.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer sink.Abort()
	img := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := range n {
		for p := range img.Pix {
			img.Pix[p] = byte((p/4%w+i)*(p/4/w)*3) | byte(255*(p%4/3))
		}
		f, err := r.Frame(t.Context(), img, int64(i), 1)
		if err != nil {
			t.Fatal(err)
		}
		err = sink.Encode(t.Context(), f)
		f.Release()
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := sink.Finish(); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestSmallestPool: with the smallest number of frames in flight no run blocks, and with
// a byte less it is refused.
func TestSmallestPool(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds: run without -short")
	}
	in := writeTestVideo(t, 130)
	for _, line := range [][]string{
		{},
		{"--lookahead", "0f"},
		{"--lookahead", "120f", "--every", "10000"},
		{"--lookahead", "4s", "--instances"},
		{"--every", "1", "--batch", "32", "--lookahead", "3f"},
		{"--memory", "off", "--batch", "5"},
		{"--memory", "off"},
	} {
		t.Run(strings.Join(line, " "), func(t *testing.T) {
			o := optionsOf(t, append([]string{"--max-side", "48", "--quiet", "--progress", "none", "--encoder-preset", "ultrafast"}, line...)...)
			o.input, o.outputs = in, []string{filepath.Join(t.TempDir(), "out.mp4")}
			if err := o.parseOutputs(); err != nil {
				t.Fatal(err)
			}
			if o.stateless() || o.every == 1 {
				o.limit = 40
			}
			frames := 0
			least := smallestBudget(t, o, &frames)
			o.maxMemory = byteSize(least)
			if o.lookahead.Frames == 120 && frames != 121 {
				t.Errorf("%d frames in flight, not 121", frames)
			}
			ended := make(chan error, 1)
			var stderr bytes.Buffer
			go func() {
				_, err := segment(o, &stderr, &stderr)
				ended <- err
			}()
			select {
			case err := <-ended:
				needsRuntime(t, err)
				if err != nil {
					t.Fatal(err, stderr.String())
				}
			case <-time.After(2 * time.Minute):
				t.Fatalf("the run blocks with %d frames in flight", frames)
			}
			o.maxMemory--
			o.overwrite = true
			if _, err := segment(o, &stderr, &stderr); !errors.Is(err, errMemory) {
				t.Errorf("a byte less: %v", err)
			}
		})
	}
}

// smallestBudget returns the smallest budget in bytes with which a run starts, and sets
// the number of frames in flight then.
func smallestBudget(t *testing.T, o *segmentOptions, frames *int) int64 {
	t.Helper()
	preset, err := o.presetFor()
	if err != nil {
		t.Fatal(err)
	}
	b := o.budget(o.side(preset, o.device), len(o.queries))
	b.target, b.limit = 1, 0
	src := &video.Source{Path: o.input, Afford: b.afford}
	if err := src.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	*frames = b.plan.frames
	return b.plan.total()
}

func TestThreads(t *testing.T) {
	for n, ok := range map[int]bool{-1: false, 0: true, 1: true, maxThreads: true, maxThreads + 1: false, 1 << 31: false} {
		if err := checkThreads(n); (err == nil) != ok {
			t.Errorf("%d: %v", n, err)
		}
	}
	pids := func(n int64) limits.Limit { return limits.Limit{N: n, By: "the container"} }
	mapped := func(n int64) limits.Limit { return limits.Limit{N: n, By: "ulimit -v"} }
	for _, c := range []struct {
		capacity
		want int
		by   string
	}{
		{capacity{processors: 8}, 8, "8 processors"},
		{capacity{processors: 1}, 1, "one processor"},
		{capacity{processors: 64, threads: pids(threadsBase + 5*threadsEach)}, 5, "the container"},
		{capacity{processors: 64, threads: pids(threadsBase)}, 1, "the container"},
		{capacity{processors: 2, threads: pids(10000), mapped: mapped(1 << 40)}, 2, "2 processors"},
		{capacity{processors: 64, mapped: mapped(mappedBase + 3*mappedThreads*mappedEach)}, 3, "ulimit -v"},
	} {
		if n, by := c.usableThreads(); n != c.want || !strings.Contains(by, c.by) || c.check() != nil {
			t.Errorf("%+v: %d, because %s, %v", c.capacity, n, by, c.check())
		}
	}
	for _, r := range []capacity{{processors: 2, threads: pids(threadsBase - 1)}, {processors: 2, mapped: mapped(mappedBase - 1)}} {
		if r.check() == nil {
			t.Errorf("%+v is enough", r)
		}
	}
}
