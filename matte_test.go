package carve_test

import (
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/video"
)

// TestMatteOfRun: a matte has the sum of the masks that a function of the same run is
// given.
func TestMatteOfRun(t *testing.T) {
	if testing.Short() {
		t.Skip("the masks of a run are enough for the race detector")
	}
	j := job(t, segmenter(t))
	j.Limit = 6
	j.Queries = append(j.Queries, car.Named("pizza"))
	tr := carve.DefaultTracking()
	tr.Instances = true
	j.Tracking = &tr
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	var all, dogs [][]uint8
	n := j.Source.Info().Width * j.Source.Info().Height
	inside := 0
	look := each(func(f *carve.Frame) {
		sum, dog := make([]uint8, n), make([]uint8, n)
		for _, l := range f.Layers {
			for i, v := range l.Mask {
				sum[i] = uint8(min(int(sum[i])+int(v), 255))
				if f.Queries[l.Query].Label == "dog" {
					dog[i] = uint8(min(int(dog[i])+int(v), 255))
					inside += int(v) / 255
				}
			}
		}
		all, dogs = append(all, sum), append(dogs, dog)
	})
	j.Sinks = []carve.Sink{look,
		&carve.Matte{Output: video.Sink{Path: in("all.mkv"), VideoOnly: true}},
		&carve.Matte{Output: video.Sink{Path: in("dog.mkv")}, Options: video.MatteOptions{Bits: 16}, Concepts: []string{"dog"}},
		&carve.Matte{Output: video.Sink{Path: in("none.mkv")}, Concepts: []string{"pizza"}, Shaping: &carve.Shaping{Soft: true, Invert: true}},
		&carve.Matte{Output: video.Sink{Path: in("cut.mov")}, Options: video.MatteOptions{Codec: "qtrle"}}}
	if _, err := carve.Run(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if len(all) != int(j.Limit) || inside == 0 {
		t.Fatalf("%d frames, %d pixels inside", len(all), inside)
	}
	white := slices.Repeat([]uint8{255}, n)
	for name, want := range map[string]func(i int) []uint8{
		"all.mkv":  func(i int) []uint8 { return all[i] },
		"dog.mkv":  func(i int) []uint8 { return dogs[i] },
		"none.mkv": func(int) []uint8 { return white },
		"cut.mov":  func(i int) []uint8 { return all[i] },
	} {
		checkMatte(t, in(name), len(all), want)
	}
	if n := probe(t, in("all.mkv"), "a"); n != 0 {
		t.Errorf("a matte without other streams has %d packets of sound", n)
	}
	if n := probe(t, in("dog.mkv"), "a"); n == 0 {
		t.Error("a matte with other streams has no sound")
	}
}

// checkMatte compares the alpha or the grey of a video with masks.
func checkMatte(t *testing.T, path string, frames int, want func(i int) []uint8) {
	t.Helper()
	src := open(t, path)
	l := src.Info().Layout()
	c := l.Components[0]
	if l.Alpha {
		c = l.Components[len(l.Components)-1]
	}
	for i := 0; ; i++ {
		f, err := src.Read(t.Context())
		if errors.Is(err, io.EOF) {
			if i != frames {
				t.Errorf("%s has %d frames", path, i)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		planes, err := f.View()
		if err != nil {
			t.Fatal(err)
		}
		w, p := src.Info().Width, planes[c.Plane]
		for k, v := range want(i) {
			at := k/w*p.Stride + k%w*c.Step + c.Offset
			got, wanted := int(p.Data[at]), int(v)
			if c.Depth == 16 {
				got, wanted = got|int(p.Data[at+1])<<8, 257*wanted
			}
			if got != wanted {
				t.Fatalf("%s, frame %d: pixel %d is %d, want %d", path, i, k, got, wanted)
			}
		}
		f.Release()
	}
}

// TestMatteRefuses: what is wrong is an error of Try and of Open, and leaves no file.
func TestMatteRefuses(t *testing.T) {
	j := job(t, segmenter(t))
	dir := t.TempDir()
	for _, c := range []struct {
		m    *carve.Matte
		want string
	}{
		{&carve.Matte{Output: video.Sink{Path: "a.avi"}}, "a matte is .mov, .webm, .mkv or .mp4"},
		{&carve.Matte{Output: video.Sink{Path: "a.mov"}, Concepts: []string{"cat"}}, `there is no query "cat"`},
		{&carve.Matte{Output: video.Sink{Path: "a.mov"}, Shaping: &carve.Shaping{Grow: -1}}, "grow is -1"},
		{&carve.Matte{Output: video.Sink{Path: "a.mov", Options: map[string]string{"nothing": "1"}}}, `no option "nothing"`},
	} {
		c.m.Output.Path = filepath.Join(dir, c.m.Output.Path)
		s := &carve.Stream{Source: j.Source, Info: j.Source.Info(), Queries: j.Queries, Threads: 1}
		if err := c.m.Try(t.Context(), s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Try: %v, want %s", err, c.want)
		}
		j.Sinks = []carve.Sink{c.m}
		if _, err := carve.Run(t.Context(), j); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("Run: %v, want %s", err, c.want)
		}
	}
	if got := listing(t, dir); len(got) > 0 {
		t.Errorf("there are %v", got)
	}
}
