package annotation

import (
	"context"
	"encoding/json"
	"errors"
	"image"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/golden"
	"github.com/carve-video/carve/internal/stickers"
)

func TestIndexed(t *testing.T) {
	dir := t.TempDir()
	savePNG(t, letters("0110 0990"), dir, "00005.png")
	savePNG(t, letters("0330 0000"), dir, "00006.png")
	save(t, "", dir, ".hidden.png")
	save(t, "", dir, "notes.txt")
	s := mustOpen(t, dir, Options{})
	if s.Len() != 2 || s.W != 4 || s.H != 2 || !s.Numbered || s.First != 5 || s.FrameName(1) != "00006" || s.Named() {
		t.Errorf("%+v", s)
	}
	if want := []Object{{ID: 1}, {ID: 3}}; !reflect.DeepEqual(s.Objects, want) {
		t.Errorf("objects %v, want %v", s.Objects, want)
	}
	shows(t, s, 0, "0110 0990")
	shows(t, s, 1, "0220 0000")
	if f, _ := s.Frame(1); f.Masks[0] != nil || f.Void != nil {
		t.Error("an empty mask takes memory")
	}
}

// Wide rows take several words, the last of them not full.
func TestWide(t *testing.T) {
	dir := t.TempDir()
	img := image.NewPaletted(image.Rect(0, 0, 131, 3), letters("0").Palette)
	want := NewMask(131, 3)
	for p := range img.Pix {
		if p%7 < 3 || p > 200 {
			img.Pix[p] = 2
			want.Set(p%131, p/131)
		}
	}
	savePNG(t, img, dir, "0.png")
	f, err := mustOpen(t, dir, Options{}).Frame(0)
	if err != nil || !reflect.DeepEqual(f.Masks[0], want) {
		t.Errorf("another mask, %v", err)
	}
}

func TestConceptsFile(t *testing.T) {
	for _, name := range []string{"concepts.json", "names.json"} {
		dir := t.TempDir()
		savePNG(t, letters("0120"), dir, "00000.png")
		save(t, `{"0": "background", "2": "red frisbee", "1": "dog", "7": "cat", "255": "void"}`, dir, name)
		s := mustOpen(t, dir, Options{})
		if want := []Object{{1, "dog"}, {2, "red frisbee"}, {7, "cat"}}; !reflect.DeepEqual(s.Objects, want) || !s.Named() {
			t.Errorf("objects %v, want %v", s.Objects, want)
		}
		shows(t, s, 0, "0120")
		save(t, `{"1": "dog"}`, dir, name)
		refuses(t, dir, Options{}, "00000.png has the number 2", name+" does not name")
		save(t, `{"1": "dog", "2": "dog"}`, dir, name)
		refuses(t, dir, Options{}, `gives the name "dog" twice`)
		save(t, `{"1": ""}`, dir, name)
		refuses(t, dir, Options{}, "empty name")
		save(t, `{"dog": "1"}`, dir, name)
		refuses(t, dir, Options{}, `names "dog", which is not the number`)
		save(t, `["dog"]`, dir, name)
		refuses(t, dir, Options{}, "maps numbers to names")
	}
}

func TestGrey(t *testing.T) {
	dir := t.TempDir()
	for i, rows := range []string{"0110", "0000"} {
		img := letters(rows)
		savePNG(t, &image.Gray{Pix: img.Pix, Stride: 4, Rect: img.Rect}, dir, frameNumber(i)+".png")
	}
	s := mustOpen(t, dir, Options{})
	if want := []Object{{ID: 1}}; !reflect.DeepEqual(s.Objects, want) {
		t.Errorf("objects %v", s.Objects)
	}
	shows(t, s, 0, "0110")
	shows(t, s, 1, "0000")
	img := letters("0190")
	savePNG(t, &image.Gray{Pix: img.Pix, Stride: 4, Rect: img.Rect}, dir, "00001.png")
	refuses(t, dir, Options{}, "00001.png is grey and has the values 1 and 255")
}

func TestFolderRefused(t *testing.T) {
	good := letters("0110 0000")
	grey := image.NewGray(good.Rect)
	for name, c := range map[string]struct {
		make func(dir string)
		want []string
	}{
		"empty": {func(string) {}, []string{"there are no masks in this folder"}},
		"gap": {func(dir string) {
			savePNG(t, good, dir, "00000.png")
			savePNG(t, good, dir, "00002.png")
		}, []string{"frame 00001 is missing", "after 00000.png comes 00002.png"}},
		"twice": {func(dir string) {
			savePNG(t, good, dir, "1.png")
			savePNG(t, good, dir, "00001.png")
		}, []string{"frame 1 twice"}},
		"no number": {func(dir string) {
			savePNG(t, good, dir, "00000.png")
			savePNG(t, good, dir, "legend.png")
		}, []string{"legend.png is not called by the number of a frame"}},
		"size": {func(dir string) {
			savePNG(t, good, dir, "00000.png")
			savePNG(t, letters("0110"), dir, "00001.png")
		}, []string{"00001.png is 4x1, and 00000.png is 4x2"}},
		"kind": {func(dir string) {
			savePNG(t, good, dir, "00000.png")
			savePNG(t, grey, dir, "00001.png")
		}, []string{"00001.png is grey, and 00000.png is indexed"}},
		"colour": {func(dir string) { savePNG(t, image.NewRGBA(good.Rect), dir, "00000.png") },
			[]string{"00000.png is a colour picture"}},
		"16 bits": {func(dir string) { savePNG(t, image.NewGray16(good.Rect), dir, "00000.png") },
			[]string{"00000.png has 16 bits a sample"}},
		"text": {func(dir string) { save(t, "no picture", dir, "00000.png") },
			[]string{"00000.png as a PNG", "not a PNG"}},
		"cut off": {func(dir string) {
			savePNG(t, good, dir, "00000.png")
			data, err := os.ReadFile(filepath.Join(dir, "00000.png"))
			if err != nil {
				t.Fatal(err)
			}
			save(t, string(data[:len(data)-20]), dir, "00000.png")
		}, []string{"decoding", "00000.png"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c.make(dir)
			refuses(t, dir, Options{}, c.want...)
		})
	}
	refuses(t, filepath.Join(t.TempDir(), "nowhere"), Options{}, "nowhere", "no such file")
}

// A file may change between the check of its header and its decoding.
func TestChanged(t *testing.T) {
	dir := t.TempDir()
	savePNG(t, letters("0110"), dir, "00000.png")
	s := mustOpen(t, dir, Options{})
	savePNG(t, letters("02"), dir, "00000.png")
	if _, err := s.Frame(0); err == nil || !strings.Contains(err.Error(), "no longer indexed of 4x1") {
		t.Errorf("another size: %v", err)
	}
	savePNG(t, letters("0120"), dir, "00000.png")
	if _, err := s.Frame(0); err == nil || !strings.Contains(err.Error(), "number 2, which was not there before") {
		t.Errorf("another number: %v", err)
	}
	s.Objects = nil
	savePNG(t, letters("0110"), dir, "00000.png")
	if _, err := s.Frame(0); err == nil || !strings.Contains(err.Error(), "1 mask for 0 objects") {
		t.Errorf("another number of objects: %v", err)
	}
}

func TestConcepts(t *testing.T) {
	dir := t.TempDir()
	savePNG(t, letters("0110"), dir, "red frisbee", "00000.png")
	savePNG(t, letters("0011"), dir, "dog", "00000.png")
	img := letters("0022")
	img.Palette[0], img.Palette[2] = img.Palette[200], img.Palette[0] // index 2 is black here
	savePNG(t, img, dir, "sky", "00000.png")
	s := mustOpen(t, dir, Options{})
	if want := []Object{{Name: "dog"}, {Name: "red frisbee"}, {Name: "sky"}}; !reflect.DeepEqual(s.Objects, want) || !s.Named() {
		t.Errorf("objects %v, want %v", s.Objects, want)
	}
	shows(t, s, 0, "3++1")

	savePNG(t, letters("0011"), dir, "dog", "00001.png")
	refuses(t, dir, Options{}, "frame 00001 is missing in", "red frisbee", "dog has it")
	savePNG(t, letters("0011"), dir, "red frisbee", "00001.png")
	savePNG(t, letters("0011"), dir, "sky", "00001.png")
	mustOpen(t, dir, Options{})
	savePNG(t, letters("00"), dir, "cat", "00000.png")
	refuses(t, dir, Options{}, "are 4x1, and in", "2x1")
	if err := os.Remove(filepath.Join(dir, "cat", "00000.png")); err != nil {
		t.Fatal(err)
	}
	refuses(t, dir, Options{}, "cat: there are no masks")
}

// If all folder names are numbers, they are object numbers.
func TestNumberedConcepts(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"10", "2"} {
		savePNG(t, letters("0"+name[:1]), dir, name, "00007.png")
	}
	s := mustOpen(t, dir, Options{})
	if want := []Object{{ID: 2}, {ID: 10}}; !reflect.DeepEqual(s.Objects, want) || s.First != 7 {
		t.Errorf("objects %v, want %v", s.Objects, want)
	}
	savePNG(t, letters("01"), dir, "02", "00007.png")
	refuses(t, dir, Options{}, "two folders for the number 2")
}

func TestMissing(t *testing.T) {
	for _, c := range [][6]int{{0, 5, 0, 5, 0, 0}, {0, 5, 1, 5, 0, 2}, {3, 5, 1, 5, 1, 1}, {2, 3, 2, 5, 5, 1}, {2, 5, 2, 3, 5, 2}} {
		if n, in := firstMissing(c[0], c[1], c[2], c[3]); n != c[4] || in != c[5] {
			t.Errorf("%v: frame %d in %d", c, n, in)
		}
	}
}

// album writes the files that stickerworld writes.
func album(t *testing.T, dir string, a stickers.Album, frames ...string) {
	t.Helper()
	for i, f := range frames {
		savePNG(t, letters(f), dir, "annotations", frameNumber(i)+".png")
	}
	data, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	save(t, string(data), dir, "truth.json")
}

func TestAlbum(t *testing.T) {
	dir := t.TempDir()
	labels := []string{"dog", "cat"}
	album(t, dir, stickers.Album{Absent: []string{"rocket"}, Frames: []stickers.AlbumFrame{
		{Labels: labels, Present: []string{"dog"}, Ignored: []string{"cat"}},
		{Labels: labels, Present: []string{"cat"}},
	}}, "0112", "0222")
	for _, path := range []string{dir, filepath.Join(dir, "annotations")} {
		s := mustOpen(t, path, Options{})
		if want := []Object{{1, "dog"}, {2, "cat"}, {0, "rocket"}}; !reflect.DeepEqual(s.Objects, want) {
			t.Errorf("objects %v, want %v", s.Objects, want)
		}
		shows(t, s, 0, "0112")
		shows(t, s, 1, "0222")
		if f, err := s.Frame(0); err != nil || !reflect.DeepEqual(f.Ignored, []bool{false, true, false}) {
			t.Errorf("ignored %v, %v", f.Ignored, err)
		}
	}
	// A folder of another name beside truth.json may be a result, so the names do not
	// apply.
	savePNG(t, letters("0770"), dir, "found", "00000.png")
	if s := mustOpen(t, filepath.Join(dir, "found"), Options{}); s.Named() {
		t.Errorf("names of the truth for a result: %v", s.Objects)
	}
}

// In a sequence of scenes a number has another meaning in every frame.
func TestScenesAlbum(t *testing.T) {
	dir := t.TempDir()
	album(t, dir, stickers.Album{Frames: []stickers.AlbumFrame{
		{Labels: []string{"dog", "cat"}, Present: []string{"dog", "cat"}},
		{Labels: []string{"pig", "dog"}, Present: []string{"pig", "dog"}},
	}}, "0112", "0112")
	s := mustOpen(t, dir, Options{})
	if want := []Object{{Name: "cat"}, {Name: "dog"}, {Name: "pig"}}; !reflect.DeepEqual(s.Objects, want) {
		t.Errorf("objects %v, want %v", s.Objects, want)
	}
	shows(t, s, 0, "0221")
	shows(t, s, 1, "0332")
}

func TestAlbumRefused(t *testing.T) {
	one := func(f stickers.AlbumFrame) stickers.Album {
		return stickers.Album{Frames: []stickers.AlbumFrame{f}}
	}
	labels := []string{"dog"}
	for _, c := range []struct {
		album stickers.Album
		want  string
	}{
		{stickers.Album{}, "tells of 0 frames"},
		{one(stickers.AlbumFrame{Labels: labels, Present: []string{"cat"}}), `says that "cat" is in frame 0, and has no label`},
		{one(stickers.AlbumFrame{Labels: labels, Present: labels, Ignored: labels}), `"dog" in frame 00000: present true`},
		{one(stickers.AlbumFrame{Labels: labels}), "present false"},
		{one(stickers.AlbumFrame{}), "number 1, which"},
		{one(stickers.AlbumFrame{Labels: make([]string, 255)}), "255 labels"},
		{one(stickers.AlbumFrame{Labels: []string{""}}), "empty name"},
	} {
		dir := t.TempDir()
		album(t, dir, c.album, "0110")
		refuses(t, dir, Options{}, c.want)
	}
	dir := t.TempDir()
	album(t, dir, stickers.Album{}, "0110")
	save(t, "no JSON", dir, "truth.json")
	refuses(t, dir, Options{}, "truth.json, which says what is in the frames")
}

func TestEach(t *testing.T) {
	for _, workers := range []int{0, 1, 7} {
		got := make([]int, 100)
		if err := Each(t.Context(), 100, workers, func(i int) error { got[i]++; return nil }); err != nil {
			t.Fatal(err)
		}
		for i, n := range got {
			if n != 1 {
				t.Errorf("%d done %d times", i, n)
			}
		}
		third := errors.New("third")
		err := Each(t.Context(), 100, workers, func(i int) error {
			switch {
			case i == 3:
				return third
			case i > 3:
				return errors.New("later")
			}
			return nil
		})
		if err != third {
			t.Errorf("%d workers: %v", workers, err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := Each(ctx, 3, 1, func(int) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

// The true masks of the DAVIS clip are grey, those of the methods indexed.
func TestRealMasks(t *testing.T) {
	truth := mustOpen(t, golden.Shared(t, "clips", "car-shadow", "masks"), Options{})
	f, err := truth.Frame(0)
	if err != nil {
		t.Fatal(err)
	}
	if truth.Len() != 40 || f.W != 854 || f.H != 480 || len(f.Masks) != 1 || f.Masks[0].Area() < 1000 {
		t.Errorf("%d frames of %dx%d, %d pixels", truth.Len(), f.W, f.H, f.Masks[0].Area())
	}
}
