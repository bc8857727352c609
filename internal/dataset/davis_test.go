package dataset

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/golden"
)

func itoa(n int) string { return strconv.Itoa(n) }

// davisTree has two sequences of two frames with two objects.
func davisTree(t *testing.T) tree {
	tr := newTree(t)
	tr.text("DAVIS/ImageSets/2017/val.txt", "bike\nclassic-car\n")
	tr.text("DAVIS/ImageSets/2016/val.txt", "bike\n")
	for _, sequence := range []string{"bike", "classic-car"} {
		for _, frame := range []string{"00000", "00001"} {
			tr.jpeg(fmt.Sprintf("DAVIS/JPEGImages/480p/%s/%s.jpg", sequence, frame), 4, 1)
			tr.png(fmt.Sprintf("DAVIS/Annotations/480p/%s/%s.png", sequence, frame), indexed(0, 1, 2, 255))
		}
	}
	tr.text("davis_text_annotations/Davis17_annot1.txt",
		"bike 1 \"a  red bike\"\nbike 2 \"a man\"\nclasic-car 2 \"the driver\"\nclasic-car 1 \"a car\"\nother 1 \"x\"\n")
	return tr
}

func TestDAVIS(t *testing.T) {
	tr := davisTree(t)
	s := tr.open("davis", Options{})
	if s.Protocol != VOS || s.Preset != "gres" || ids(s) != "bike classic-car" || len(s.Notes) != 0 {
		t.Fatalf("%+v", s)
	}
	bike, classic := s.Samples[0], s.Samples[1]
	if len(bike.Frames) != 2 || !strings.HasSuffix(bike.Frames[1], "480p/bike/00001.jpg") {
		t.Errorf("frames: %v", bike.Frames)
	}
	if bike.Queries[0].Phrases[0] != "a red bike" || bike.Objects[0] != 1 || bike.Queries[1].Label != "a man" || bike.Objects[1] != 2 {
		t.Errorf("queries: %+v, %v", bike.Queries, bike.Objects)
	}
	if classic.Queries[0].Label != "a car" || classic.Objects[1] != 2 {
		t.Errorf("queries: %+v, %v", classic.Queries, classic.Objects)
	}
	truth(t, bike, 1, 4, 1, 0, 1, 2, 255)
	for _, i := range []int{-1, 2} {
		if _, err := bike.Truth(i); err == nil {
			t.Errorf("frame %d has a truth", i)
		}
	}
	if s := tr.open("davis", Options{Limit: 1}); ids(s) != "bike" {
		t.Errorf("one sample: %s", ids(s))
	}
	// The folder DAVIS itself can be opened too.
	if s := (tree{t, tr.dir + "/DAVIS"}).open("davis", Options{}); ids(s) != "bike classic-car" {
		t.Errorf("from within: %s", ids(s))
	}
}

func TestDAVISExpressions(t *testing.T) {
	tr := davisTree(t)
	tr.refused("davis", Options{Expressions: "annot2"}, "Davis17_annot2.txt", "Ref-DAVIS")
	tr.refused("davis", Options{Expressions: "annot3"}, "annot3", "annot1_full_video")
	all := "bike 1 \"bike\"\nbike 2 \"man\"\nclassic-car 1 \"car\"\nclassic-car 2 \"man\"\n"
	for _, name := range []string{"annot1_full_video", "annot2", "annot2_full_video"} {
		tr.text("davis_text_annotations/Davis17_"+name+".txt", all)
	}
	if s := tr.open("davis", Options{Expressions: "all"}); len(s.Samples) != 8 || s.Samples[7].ID != "classic-car@annot2_full_video" {
		t.Errorf("all: %s", ids(s))
	}
	// A file of the user, in Latin-1, with the same name for both, and a third line
	// that is one too many.
	own := filepath.Join(tr.dir, "own.txt")
	tr.text("own.txt", "\ufeffbike 1 \"caf\xe9\"\nbike 2 \"caf\xe9\"\nbike 2 \"x\"\nclassic-car 1 \"car\"\n")
	s := tr.open("davis", Options{Expressions: own})
	if s.Samples[0].Queries[1].Label != "café" || len(s.Notes) != 3 ||
		!strings.Contains(s.Notes[0], "several expressions") || !strings.Contains(s.Notes[1], "in one go") || !strings.Contains(s.Notes[2], "object 2") {
		t.Errorf("%+v, notes %q", s.Samples[0].Queries, s.Notes)
	}
	for _, c := range []struct{ text, want string }{
		{"bike 1 \"a\"\nbike 2\n", "line 2"},
		{"bike one \"a\"\n", "line 1"},
		{"bike 255 \"a\"\n", "line 1"},
		{"bike 0 \"a\"\n", "line 1"},
		{"\nbike 1 \"\"\n", "line 2"},
	} {
		tr.text("own.txt", c.text)
		tr.refused("davis", Options{Expressions: own}, "own.txt, "+c.want)
	}
	tr.text("own.txt", "bike 1 \"a\"\n")
	tr.refused("davis", Options{Expressions: own}, "sequence classic-car", "nothing to ask for")
}

func TestDAVISNames(t *testing.T) {
	tr := davisTree(t)
	tr.remove("davis_text_annotations")
	tr.refused("davis", Options{}, "Davis17_annot1.txt", "names")
	file := filepath.Join(tr.dir, "names")
	for _, text := range []string{
		"bike: {1: bike, 2: rider=man|cyclist}\nclassic-car:\n  1: car\n  2: man\n",
		`{"bike": {"1": "bike", "2": "rider=man|cyclist"}, "classic-car": {"1": "car", "2": "man"}}`,
	} {
		tr.text("names", text)
		s := tr.open("davis", Options{Names: file})
		if q := s.Samples[0].Queries[1]; s.Preset != "demo" || q.Label != "rider" || len(q.Phrases) != 2 || s.Samples[0].Objects[1] != 2 {
			t.Errorf("%+v", s.Samples[0])
		}
	}
	for _, c := range []struct{ text, want string }{
		{"bike: [a]", "a map is expected"},
		{"bike: {a: b}", "sequence bike"},
		{"bike: {1: a|b}", "object 1"},
		{"bike: {", "names"},
	} {
		tr.text("names", c.text)
		tr.refused("davis", Options{Names: file}, c.want)
	}
	tr.refused("davis", Options{Names: file + "x"}, "reading names: "+file+"x: no such file")
}

func TestDAVISBroken(t *testing.T) {
	tr := davisTree(t)
	tr.refused("davis", Options{Split: "test-dev"}, `no split "test-dev"`, "(there are val)")
	tr.refused("davis", Options{Resolution: "Full-Resolution"}, "there is no JPEGImages/Full-Resolution")
	tr.png("DAVIS/Annotations/480p/bike/00000.png", colour())
	tr.refused("davis", Options{}, "bike/00000.png", "colour")
	tr.remove("DAVIS/Annotations/480p/bike/00001.png")
	tr.refused("davis", Options{}, "the mask of bike, frame 00001", "480p/bike/00001.png")
	tr.remove("DAVIS/JPEGImages/480p/bike/00000.jpg")
	tr.remove("DAVIS/JPEGImages/480p/bike/00001.jpg")
	tr.refused("davis", Options{}, "sequence bike", "no picture")
	tr.remove("DAVIS/JPEGImages/480p/bike")
	tr.refused("davis", Options{}, "sequence bike")
	tr.remove("DAVIS/ImageSets")
	tr.refused("davis", Options{}, "there is no ImageSets in")
}

// In 2016 all objects are one.
func TestDAVIS2016(t *testing.T) {
	tr := davisTree(t)
	tr.refused("davis", Options{Split: "2016/val"}, "DAVIS 2016 has one object")
	tr.text("names", "bike: {1: bike}")
	names := Options{Split: "2016/val", Names: filepath.Join(tr.dir, "names")}
	s := tr.open("davis", names)
	if s.Split != "2016/val" || len(s.Notes) != 0 {
		t.Errorf("%+v", s)
	}
	truth(t, s.Samples[0], 0, 4, 1, 0, 1, 1, 1)
	// The package of that year.
	tr.remove("DAVIS/ImageSets")
	tr.text("DAVIS/ImageSets/480p/val.txt", "/JPEGImages/480p/bike/00000.jpg /Annotations/480p/bike/00000.png\n/JPEGImages/480p/bike/00001.jpg /Annotations/480p/bike/00001.png\n")
	for _, frame := range []string{"00000", "00001"} {
		tr.png("DAVIS/Annotations/480p/bike/"+frame+".png", grey(0, 255, 0, 255))
	}
	s = tr.open("davis", names)
	if ids(s) != "bike" {
		t.Errorf("%s", ids(s))
	}
	truth(t, s.Samples[0], 0, 4, 1, 0, 1, 0, 1)
	tr.refused("davis", Options{}, "DAVIS 2016", "2016/val")
	tr.text("DAVIS/ImageSets/480p/val.txt", "bike\n")
	tr.refused("davis", names, "val.txt, line 1")
}

// A sequence as published, with black and white masks.
func TestDAVISReal(t *testing.T) {
	clip := golden.Shared(t, "clips", "car-shadow")
	tr := newTree(t)
	tr.text("ImageSets/2017/val.txt", "car-shadow\n")
	tr.text("names.yaml", "car-shadow: {1: car}\n")
	for from, to := range map[string]string{"frames": "JPEGImages/480p", "masks": "Annotations/480p"} {
		if err := os.MkdirAll(filepath.Join(tr.dir, to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(clip, from), filepath.Join(tr.dir, to, "car-shadow")); err != nil {
			t.Fatal(err)
		}
	}
	s := tr.open("davis", Options{Names: filepath.Join(tr.dir, "names.yaml")})
	sample := s.Samples[0]
	if len(sample.Frames) != 40 || len(s.Notes) != 0 {
		t.Errorf("%d frames, notes %q", len(sample.Frames), s.Notes)
	}
	got, err := sample.Truth(39)
	if err != nil {
		t.Fatal(err)
	}
	area := 0
	for _, l := range got.Labels {
		if l > 1 {
			t.Fatalf("there is a label %d", l)
		}
		area += int(l)
	}
	if got.W != 854 || got.H != 480 || area < 1000 || area > 854*480/2 {
		t.Errorf("%d×%d, %d pixels of car", got.W, got.H, area)
	}
}
