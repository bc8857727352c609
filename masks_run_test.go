package carve_test

import (
	"errors"
	"fmt"
	"image"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/annotation"
	"github.com/carve-video/carve/video"
)

// TestMasksOfRun: all kinds of sequences in one run hold the masks that a function of
// the same run is given.
func TestMasksOfRun(t *testing.T) {
	j := job(t, segmenter(t))
	j.Queries = append(j.Queries, car.Named("pizza"))
	info := j.Source.Info()
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	type one struct {
		soft  map[string][]uint8
		index []uint8
	}
	var want []one
	seen := 0
	look := each(func(f *carve.Frame) {
		o := one{map[string][]uint8{}, make([]uint8, info.Width*info.Height)}
		for _, l := range f.Layers {
			o.soft[f.Queries[l.Query].Label] = slices.Clone(l.Mask)
			for i, v := range l.Mask {
				if v >= 128 {
					o.index[i] = uint8(l.Query + 1)
					seen++
				}
			}
		}
		want = append(want, o)
	})
	j.Sinks = []carve.Sink{look,
		&carve.Masks{Path: in("numbers")},
		&carve.Masks{Path: in("grey"), Split: carve.SplitConcept},
		&carve.Masks{Path: in("deep"), Split: carve.SplitConcept, Bits: 16, Format: "tiff", Concepts: []string{"dog"}}}
	if _, err := carve.Run(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if n := len(tree(t, in("numbers"))); n != int(j.Limit)+1 || len(tree(t, in("grey"))) != 3*int(j.Limit)+1 || len(want) != int(j.Limit) || seen == 0 {
		t.Fatalf("%d files, %d frames, %d pixels", n, len(want), seen)
	}
	for i, o := range want {
		if got := decode(t, in(fmt.Sprintf("numbers/%06d.png", i))).(*image.Paletted).Pix; !slices.Equal(got, o.index) {
			t.Errorf("frame %d: the numbers differ", i)
		}
		for _, label := range []string{"dog", "car", "pizza"} {
			mask := o.soft[label]
			if mask == nil {
				mask = make([]uint8, len(o.index))
			}
			if got := decode(t, in(fmt.Sprintf("grey/%s/%06d.png", label, i))).(*image.Gray).Pix; !slices.Equal(got, mask) {
				t.Errorf("frame %d: the mask of %s differs", i, label)
			}
			if label != "dog" {
				continue
			}
			for p, v := range decode(t, in(fmt.Sprintf("deep/dog/%06d.tif", i))).(*image.Gray16).Pix {
				if v != mask[p/2] {
					t.Errorf("frame %d: the mask of 16 bits differs at %d", i, p/2)
					break
				}
			}
		}
	}
	for _, name := range []string{"numbers", "grey", "deep"} { // carve eval reads them
		set, err := annotation.Open(t.Context(), in(name), annotation.Options{})
		if err != nil {
			t.Fatal(err)
		}
		for i, o := range want {
			f, err := set.Frame(i)
			if err != nil {
				t.Fatal(err)
			}
			for k, object := range set.Objects {
				for p := range o.index {
					soft := o.soft[object.Name]
					if in := soft != nil && soft[p] >= 128; in != f.Masks[k].At(p%info.Width, p/info.Width) {
						t.Fatalf("%s, frame %d: the mask of %s is read otherwise", name, i, object.Name)
					}
				}
			}
		}
	}
	m := manifest(t, in("numbers"))
	plain := open(t, j.Source.(*video.Source).Path)
	for f, err := range plain.Each(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		if m.PTS[f.Index] != f.PTS {
			t.Errorf("frame %d has pts %d, %d in the source", f.Index, m.PTS[f.Index], f.PTS)
		}
		if f.Index == j.Limit-1 {
			break
		}
	}
}

// TestMasksAborted: a run that fails leaves whole files and no manifest.
func TestMasksAborted(t *testing.T) {
	j := job(t, segmenter(t))
	dir := filepath.Join(t.TempDir(), "out")
	broken := errors.New("broken")
	j.Sinks = []carve.Sink{&carve.Masks{Path: dir}, &failing{close: broken}}
	if _, err := carve.Run(t.Context(), j); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	files := listing(t, dir)
	if len(files) != int(j.Limit)+1 || !slices.Contains(files, "concepts.incomplete.json") {
		t.Errorf("%v", files)
	}
	for _, name := range files {
		if strings.HasSuffix(name, ".png") {
			decode(t, filepath.Join(dir, name))
		}
	}
	// A shorter run does not end up between images of the longer one.
	if err := os.WriteFile(filepath.Join(dir, "mine.txt"), nil, 0o666); err != nil {
		t.Fatal(err)
	}
	j = job(t, j.Segmenter)
	j.Limit = 2
	j.Sinks = []carve.Sink{&carve.Masks{Path: dir, Overwrite: true}}
	if _, err := carve.Run(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	if files := listing(t, dir); !slices.Equal(files, []string{"000000.png", "000001.png", "concepts.json", "mine.txt"}) {
		t.Errorf("%v", files)
	}
	// One folder for two sequences is found before work.
	for _, overwrite := range []bool{false, true} {
		j = job(t, j.Segmenter)
		dir = filepath.Join(t.TempDir(), "out")
		j.Sinks = []carve.Sink{&carve.Masks{Path: dir, Overwrite: overwrite}, &carve.Masks{Path: dir + "/x.%d.png", Overwrite: overwrite}}
		if _, err := carve.Run(t.Context(), j); err == nil {
			t.Error("one folder for two sequences is taken")
		}
		if _, err := os.Stat(dir); !os.IsNotExist(err) {
			t.Errorf("%v", listing(t, dir))
		}
	}
}

// TestMasksInstancesOfRun: instances that a run tells apart have files of their own, and
// all have one for every frame.
func TestMasksInstancesOfRun(t *testing.T) {
	if testing.Short() {
		t.Skip("another run of masks is enough for the race detector")
	}
	j := job(t, segmenter(t))
	tr := carve.DefaultTracking()
	tr.Instances = true
	j.Tracking = &tr
	dir := filepath.Join(t.TempDir(), "out")
	j.Sinks = []carve.Sink{&carve.Masks{Path: dir, Split: carve.SplitInstance}}
	if _, err := carve.Run(t.Context(), j); err != nil {
		t.Fatal(err)
	}
	instances := 0
	for _, c := range manifest(t, dir).Concepts {
		for _, in := range c.Instances {
			instances++
			for i := range j.Limit {
				decode(t, filepath.Join(dir, c.Label, fmt.Sprint(in.Number), fmt.Sprintf("%06d.png", i)))
			}
		}
	}
	if instances == 0 || len(tree(t, dir)) != instances*int(j.Limit)+1 {
		t.Errorf("%d instances, %v", instances, tree(t, dir))
	}
}

// TestMasksInFFmpeg: another program reads the same values from the files.
func TestMasksInFFmpeg(t *testing.T) {
	s := newShot(5, 3, "dog")
	values := []uint8{0, 1, 2, 127, 128, 129, 200, 254, 255, 9, 8, 7, 6, 5, 4}
	wide := make([]byte, 0, 2*len(values))
	for _, v := range values {
		wide = append(wide, v, v)
	}
	for _, c := range []struct {
		format string
		bits   int
		pixels string
		want   []byte
	}{{"png", 8, "gray", values}, {"png", 16, "gray16be", wide}, {"tiff", 8, "gray", values}, {"tiff", 16, "gray16le", wide}} {
		dir := filepath.Join(t.TempDir(), "out")
		s.write(t, &carve.Masks{Path: dir, Split: carve.SplitConcept, Format: c.format, Bits: c.bits}, s.frame(0, s.layer(0, 0, values...)), s.frame(1))
		files := filepath.Join(dir, "dog", "%06d."+map[string]string{"png": "png", "tiff": "tif"}[c.format])
		raw := func(pixels ...string) []byte {
			out, err := exec.Command("ffmpeg", append(append([]string{"-v", "error", "-i", files}, pixels...), "-f", "rawvideo", "-")...).Output()
			if err != nil {
				t.Fatalf("%s of %d bits: %v", c.format, c.bits, err)
			}
			return out
		}
		if got := raw(); !slices.Equal(got, append(slices.Clone(c.want), make([]byte, len(c.want))...)) || !slices.Equal(got, raw("-pix_fmt", c.pixels)) {
			t.Errorf("%s of %d bits: %v", c.format, c.bits, got)
		}
	}
	dir := filepath.Join(t.TempDir(), "out")
	s.write(t, &carve.Masks{Path: dir}, s.frame(0, s.layer(0, 0, values...)))
	out, err := exec.Command("ffmpeg", "-v", "error", "-i", filepath.Join(dir, "000000.png"), "-f", "rawvideo", "-pix_fmt", "rgb24", "-").Output()
	if err != nil || len(out) != 3*len(values) || !slices.Equal(out[:3], []byte{0, 0, 0}) || !slices.Equal(out[3*4:3*5], []byte{128, 0, 0}) {
		t.Errorf("the indexed image is %v, %v", out, err)
	}
}

// BenchmarkMasks writes frames of 1080p with two concepts. Memory is that of the file
// names and of the operating system's calls.
func BenchmarkMasks(b *testing.B) {
	for name, m := range map[string]carve.Masks{
		"indexed": {}, "grey8": {Split: carve.SplitConcept}, "grey16": {Split: carve.SplitConcept, Bits: 16},
		"tiff16": {Split: carve.SplitConcept, Bits: 16, Format: "tiff"},
	} {
		b.Run(name, func(b *testing.B) {
			s := newShot(1920, 1080, "dog", "cat")
			layers := []carve.Layer{disc(s, 0, 600), disc(s, 1, 1400)}
			m := m
			m.Path = filepath.Join(b.TempDir(), "out")
			if err := m.Open(b.Context(), s.stream()); err != nil {
				b.Fatal(err)
			}
			defer m.Close()
			n := int64(0)
			write := func() {
				if err := m.Write(b.Context(), s.frame(n, layers...)); err != nil {
					b.Fatal(err)
				}
				n++
			}
			write() // which makes the encoders' memory
			b.ReportAllocs()
			for b.Loop() {
				write()
			}
		})
	}
}

// disc is a layer with a disc of soft outline.
func disc(s *shot, query, at int) carve.Layer {
	l := s.layer(query, 0)
	for i := range l.Mask {
		x, y := i%s.info.Width-at, i/s.info.Width-s.info.Height/2
		l.Mask[i] = uint8(min(max(250_000-(x*x+y*y)*2, 0)/64, 255))
	}
	l.Box = image.Rect(0, 0, s.info.Width, s.info.Height)
	return l
}
