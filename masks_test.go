package carve_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/image/tiff"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/maskmanifest"
	"github.com/carve-video/carve/video"
)

// A shot is a source of hand-made masks of w×h pixels, as coded.
type shot struct {
	info    video.Info
	queries []car.Query
}

func newShot(w, h int, labels ...string) *shot {
	s := &shot{info: video.Info{Path: "in/clip.mov", Width: w, Height: h, TimeBase: video.Rational{Num: 1, Den: 100},
		AverageRate: video.Rational{Num: 25, Den: 1}, SampleAspect: video.Rational{Num: 4, Den: 3}, StartPTS: 100, Timecode: "10:00:00:00"}}
	for i, label := range labels {
		q := car.Named(label)
		q.ID = i + 1
		s.queries = append(s.queries, q)
	}
	return s
}

func (s *shot) stream() *carve.Stream {
	return &carve.Stream{Info: s.info, Queries: s.queries, Width: s.info.Width, Height: s.info.Height, Threads: 2}
}

// frame makes a frame with these layers.
func (s *shot) frame(index int64, layers ...carve.Layer) *carve.Frame {
	return &carve.Frame{Index: index, Decoded: &video.Frame{Index: index, PTS: 100 + 4*index}, Queries: s.queries, Layers: layers}
}

// layer makes a layer whose mask has the given values; a missing one is 0.
func (s *shot) layer(query, instance int, values ...uint8) carve.Layer {
	l := carve.Layer{Query: query, Instance: instance, Label: s.queries[query].Label, Mask: make([]uint8, s.info.Width*s.info.Height)}
	copy(l.Mask, values)
	for i, v := range l.Mask {
		if x, y := i%s.info.Width, i/s.info.Width; v >= 128 {
			l.Box = l.Box.Union(image.Rect(x, y, x+1, y+1))
		}
	}
	return l
}

// write writes frames and commits.
func (s *shot) write(t testing.TB, m *carve.Masks, frames ...*carve.Frame) {
	t.Helper()
	if err := s.try(m, frames...); err != nil {
		t.Fatal(err)
	}
}

func (s *shot) try(m *carve.Masks, frames ...*carve.Frame) error {
	defer m.Close()
	err := m.Open(context.Background(), s.stream())
	for _, f := range frames {
		if err == nil {
			err = m.Write(context.Background(), f)
		}
	}
	if err == nil {
		err = m.Prepare()
	}
	if err == nil {
		err = m.Commit()
	}
	if err != nil {
		m.Abort()
	}
	return err
}

// tree lists the files in a folder, with slashes.
func tree(t testing.TB, dir string) (files []string) {
	t.Helper()
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// decode reads an image back.
func decode(t testing.TB, path string) image.Image {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	read := png.Decode
	if strings.HasPrefix(filepath.Ext(path), ".tif") {
		read = tiff.Decode
	}
	img, err := read(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return img
}

// pixels are the values of an image, row by row.
func pixels(t testing.TB, path string) string {
	t.Helper()
	img := decode(t, path)
	var values []string
	for y := range img.Bounds().Dy() {
		for x := range img.Bounds().Dx() {
			switch img := img.(type) {
			case *image.Paletted:
				values = append(values, fmt.Sprint(img.ColorIndexAt(x, y)))
			case *image.Gray:
				values = append(values, fmt.Sprint(img.GrayAt(x, y).Y))
			case *image.Gray16:
				values = append(values, fmt.Sprint(img.Gray16At(x, y).Y))
			default:
				t.Fatalf("%s is a %T", path, img)
			}
		}
		values = append(values, "/")
	}
	return strings.TrimSuffix(strings.Join(values, " "), " /")
}

func manifest(t testing.TB, dir string) *maskmanifest.Manifest {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "concepts.json"))
	if err != nil {
		t.Fatal(err)
	}
	m, err := maskmanifest.Unmarshal(data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestMasksIndexed: values are numbers of concepts; the stronger mask has the pixel.
func TestMasksIndexed(t *testing.T) {
	s := newShot(3, 2, "dog", "cat")
	dir := filepath.Join(t.TempDir(), "out")
	s.write(t, &carve.Masks{Path: dir},
		s.frame(0, s.layer(0, 0, 255, 127, 128, 200), s.layer(1, 0, 0, 0, 128, 201, 0, 255)),
		s.frame(1),
		s.frame(2, s.layer(1, 1, 255), s.layer(1, 2, 0, 255)))
	if got := tree(t, dir); !slices.Equal(got, []string{"000000.png", "000001.png", "000002.png", "concepts.json"}) {
		t.Fatalf("%v", got)
	}
	for name, want := range map[string]string{"000000.png": "1 0 1 / 2 0 2", "000001.png": "0 0 0 / 0 0 0", "000002.png": "2 2 0 / 0 0 0"} {
		if got := pixels(t, filepath.Join(dir, name)); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	palette := decode(t, filepath.Join(dir, "000000.png")).(*image.Paletted).Palette
	if palette[1] != (color.RGBA{128, 0, 0, 255}) || palette[2] != (color.RGBA{0, 128, 0, 255}) {
		t.Errorf("the palette is %v", palette[:4])
	}
	m := manifest(t, dir)
	if m.Files != "%06d.png" || m.Frames != 3 || m.Start != 0 || m.Rate != "25/1" || m.TimeBase != "1/100" || m.Width != 3 || m.Height != 2 ||
		m.Values != "concept" || m.Timecode != "10:00:00:00" || !slices.Equal(m.PTS, []int64{100, 104, 108}) || m.Source.Name != "clip.mov" || m.Source.SampleAspect != "4/3" {
		t.Errorf("%+v", m)
	}
	if c := m.Concepts; len(c) != 2 || c[0].Label != "dog" || c[0].Index != 1 || c[0].Palette != "#800000" || c[0].Present != 1 || c[1].ID != 2 || c[1].Present != 2 || c[1].Colour == "" {
		t.Errorf("%+v", c)
	}
}

// TestMasksInstances: without a split each instance may have a number, in the order of
// appearance.
func TestMasksInstances(t *testing.T) {
	s := newShot(3, 1, "dog", "cat")
	dir := filepath.Join(t.TempDir(), "out")
	s.write(t, &carve.Masks{Path: dir + "/", Instances: true},
		s.frame(0, s.layer(1, 1, 255)),
		s.frame(1, s.layer(0, 2, 0, 255), s.layer(1, 1, 255)))
	if got := pixels(t, filepath.Join(dir, "000001.png")); got != "1 2 0" {
		t.Error(got)
	}
	if c := manifest(t, dir).Concepts; c[0].Instances[0].Index != 2 || c[0].Instances[0].Number != 2 || c[1].Instances[0].Index != 1 || c[1].Index != 0 {
		t.Errorf("%+v", c)
	}
}

// TestMasksGrey: masks with a split are soft, in 8 and 16 bits, as PNG and TIFF. Those
// of a concept's instances are added up.
func TestMasksGrey(t *testing.T) {
	s := newShot(4, 1, "dog", "cat")
	for _, c := range []struct {
		masks carve.Masks
		ext   string
		want  string
	}{
		{carve.Masks{}, "png", "1 255 228 255"},
		{carve.Masks{Bits: 16}, "png", "257 65535 58596 65535"},
		{carve.Masks{Format: "tiff"}, "tif", "1 255 228 255"},
		{carve.Masks{Format: "tiff", Bits: 16}, "tif", "257 65535 58596 65535"},
	} {
		dir := filepath.Join(t.TempDir(), "out")
		m := c.masks
		m.Path, m.Split = dir, carve.SplitConcept
		s.write(t, &m, s.frame(0, s.layer(0, 1, 1, 128, 100, 200), s.layer(0, 2, 0, 127, 128, 100)))
		if got := pixels(t, filepath.Join(dir, "dog/000000."+c.ext)); got != c.want {
			t.Errorf("%+v: %s, want %s", c.masks, got, c.want)
		}
		if got := pixels(t, filepath.Join(dir, "cat/000000."+c.ext)); got != "0 0 0 0" {
			t.Errorf("%+v: the cat is %s", c.masks, got)
		}
		if got := manifest(t, dir); got.Concepts[0].Files != "dog/%06d."+c.ext || got.Bits != max(c.masks.Bits, 8) {
			t.Errorf("%+v", got)
		}
	}
}

// TestMasksLate: instances and queries that come late have files for all frames.
func TestMasksLate(t *testing.T) {
	s := newShot(2, 1, "dog")
	dir := filepath.Join(t.TempDir(), "out")
	s.write(t, &carve.Masks{Path: filepath.Join(dir, "{concept}/{instance}/%02d.tif"), Split: carve.SplitInstance, Start: "7"},
		s.frame(0), s.frame(1, s.layer(0, 1, 255)), s.frame(2, s.layer(0, 1, 0, 255), s.layer(0, 2, 255)), s.frame(3))
	var want []string
	for in := 1; in <= 2; in++ {
		for n := 7; n < 11; n++ {
			want = append(want, fmt.Sprintf("dog/%d/%02d.tif", in, n))
		}
	}
	got := tree(t, dir)
	if slices.Sort(got); !slices.Equal(got, append([]string{"concepts.json"}, want...)) {
		t.Fatalf("%v", got)
	}
	for name, want := range map[string]string{"1/07": "0 0", "1/08": "255 0", "1/09": "0 255", "1/10": "0 0", "2/07": "0 0", "2/08": "0 0", "2/09": "255 0", "2/10": "0 0"} {
		if got := pixels(t, filepath.Join(dir, "dog", name+".tif")); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}

	s = newShot(2, 1, "dog")
	dir = filepath.Join(t.TempDir(), "out")
	first := []*carve.Frame{s.frame(0, s.layer(0, 0, 255)), s.frame(1)}
	s.queries = []car.Query{{ID: 2, Label: "cat", Phrases: []string{"cat"}}} // the dog is not looked for any more
	later := s.frame(2, s.layer(0, 0, 0, 255))
	s.queries = []car.Query{{ID: 1, Label: "dog", Phrases: []string{"dog"}}}
	s.write(t, &carve.Masks{Path: dir, Split: carve.SplitConcept}, append(first, later)...)
	for name, want := range map[string]string{"dog/000000": "255 0", "dog/000002": "0 0", "cat/000000": "0 0", "cat/000001": "0 0", "cat/000002": "0 255"} {
		if got := pixels(t, filepath.Join(dir, name+".png")); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}

// TestMasksRotation: files are upright, as the source is shown.
func TestMasksRotation(t *testing.T) {
	for _, c := range []struct {
		o       video.Orientation
		degrees int
		want    string // of a coded frame 1 2 3 / 4 5 6, times 10
	}{
		{video.Orientation{}, 0, "10 20 30 / 40 50 60"},
		{video.Orientation{Transpose: true, FlipX: true}, 90, "40 10 / 50 20 / 60 30"},
		{video.Orientation{FlipX: true, FlipY: true}, 180, "60 50 40 / 30 20 10"},
		{video.Orientation{Transpose: true, FlipY: true}, 270, "30 60 / 20 50 / 10 40"},
		{video.Orientation{Transpose: true}, 270, "10 40 / 20 50 / 30 60"},
	} {
		s := newShot(3, 2, "dog")
		s.info.Orientation = c.o
		dir := filepath.Join(t.TempDir(), "out")
		s.write(t, &carve.Masks{Path: dir, Split: carve.SplitConcept}, s.frame(0, s.layer(0, 0, 10, 20, 30, 40, 50, 60)), s.frame(1))
		if got := pixels(t, filepath.Join(dir, "dog/000000.png")); got != c.want {
			t.Errorf("%+v: %s, want %s", c.o, got, c.want)
		}
		m := manifest(t, dir)
		if m.Source.Rotation != c.degrees || (m.Width == 2) != c.o.Transpose || m.Source.Width != 3 {
			t.Errorf("%+v", m)
		}
		if got := decode(t, filepath.Join(dir, "dog/000001.png")).Bounds().Dx(); got != m.Width {
			t.Errorf("an empty image is %d wide", got)
		}
		dir = filepath.Join(t.TempDir(), "out")
		s.write(t, &carve.Masks{Path: dir}, s.frame(0, s.layer(0, 0, 255)))
		if got := strings.Index(pixels(t, filepath.Join(dir, "000000.png")), "1"); got != strings.Index(strings.ReplaceAll(c.want, "0", ""), "1") {
			t.Errorf("%+v: the number is at %d", c.o, got)
		}
	}
}

// TestMasksPatterns: every place for a value, and names that collide.
func TestMasksPatterns(t *testing.T) {
	s := newShot(1, 1, "Dog", "dog", "a/b", "a:b", "..", "con", "100%")
	root := t.TempDir()
	dir := filepath.Join(root, "clip_masks")
	s.write(t, &carve.Masks{Path: filepath.Join(root, "{name}_masks/{concept}_{frame}_{pts}_{timecode}.png"), Split: carve.SplitConcept, Start: "9"}, s.frame(0), s.frame(1))
	var want []string
	for _, name := range []string{"100_", "Dog", "__", "_con", "a_b", "a_b-2", "dog-2"} {
		want = append(want, name+"_10_104_10-00-00-01.png", name+"_9_100_10-00-00-00.png")
	}
	got := tree(t, dir)
	if want = append(want, "concepts.json"); !slices.Equal(slices.Sorted(slices.Values(got)), slices.Sorted(slices.Values(want))) {
		t.Errorf("%q,\nwant %q", got, want)
	}
	m := manifest(t, dir)
	if c := m.Concepts[3]; c.Label != "a:b" || c.Files != "a_b-2_{frame}_{pts}_{timecode}.png" || !slices.Contains(slices.Collect(m.Names()), "a_b-2_10_104_10-00-00-01.png") {
		t.Errorf("%+v, %q", c, slices.Collect(m.Names()))
	}
	if len(listing(t, root)) != 1 {
		t.Errorf("%v", listing(t, root))
	}
	// One concept needs no place for its name.
	dir = t.TempDir()
	s.write(t, &carve.Masks{Path: filepath.Join(dir, "matte.%04d.png"), Split: carve.SplitConcept, Concepts: []string{"con"}}, s.frame(0, s.layer(5, 0, 77), s.layer(0, 0, 99)))
	if got := pixels(t, filepath.Join(dir, "matte.0000.png")); got != "77" || len(tree(t, dir)) != 2 {
		t.Errorf("%s, %v", got, tree(t, dir))
	}
}
