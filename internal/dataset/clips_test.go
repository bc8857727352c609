package dataset

import (
	"path/filepath"
	"strings"
	"testing"
)

// clipsTree has two clips of two frames, one as a video and one as images.
func clipsTree(t *testing.T) tree {
	tr := newTree(t)
	frames := `"frames":[{"labels":["dog","car"],"present":["dog"]},{"labels":["dog","car"],"present":["car"],"ignored":["dog"]}]`
	tr.text("film/truth.json", `{"absent":["pizza"],"events":[{"frame":0,"event":"cut"},{"frame":1,"event":"cut"},{"frame":1,"event":"enter","concept":"car"}],`+frames+`}`)
	tr.text("film/clip.mp4", "a film")
	tr.text("stills/truth.json", `{`+frames+`}`)
	for _, frame := range []string{"00000", "00001"} {
		tr.png("film/annotations/"+frame+".png", indexed(0, 1, 2, 0))
		tr.png("stills/annotations/"+frame+".png", indexed(0, 1, 2, 0))
		tr.png("stills/frames/"+frame+".png", indexed(0, 1, 2, 0))
	}
	tr.text("notes.txt", "not a clip")
	tr.text(".part/truth.json", "half a clip")
	return tr
}

func TestClips(t *testing.T) {
	tr := clipsTree(t)
	s := tr.open("clips", Options{})
	if s.Protocol != Concepts || s.Preset != "stickers" || s.Split != "" || ids(s) != "film stills" {
		t.Fatalf("%+v", s)
	}
	film, stills := s.Samples[0], s.Samples[1]
	if !strings.HasSuffix(film.Film, "film/clip.mp4") || len(film.Frames) != 2 || len(film.Cuts) != 1 || film.Cuts[0] != 1 {
		t.Errorf("film: %+v", film)
	}
	if q := film.Queries; len(q) != 3 || q[0].Label != "dog" || q[1].Label != "car" || q[2].Label != "pizza" {
		t.Errorf("queries: %+v", film.Queries)
	}
	if stills.Film != "" || len(stills.Frames) != 2 || !strings.HasSuffix(stills.Frames[1], "stills/frames/00001.png") || len(stills.Queries) != 2 {
		t.Errorf("stills: %+v", stills)
	}
	if film.Folder != filepath.Join(tr.dir, "film") {
		t.Errorf("folder %s", film.Folder)
	}
	// The folder of one clip opens that clip only.
	if s := (tree{t, tr.dir + "/stills"}).open("clips", Options{}); ids(s) != "stills" {
		t.Errorf("from within: %s", ids(s))
	}
	if s := tr.open("clips", Options{Limit: 1}); ids(s) != "film" {
		t.Errorf("one sample: %s", ids(s))
	}
}

func TestClipsErrors(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(tr tree)
		options Options
		want    string
	}{
		"split":      {func(tree) {}, Options{Split: "val"}, "no splits"},
		"no mask":    {func(tr tree) { tr.remove("film/annotations/00001.png") }, Options{}, "the mask of film, frame 1 is missing"},
		"no picture": {func(tr tree) { tr.remove("stills/frames/00000.png") }, Options{}, "the picture of stills, frame 0 is missing"},
		"no film":    {func(tr tree) { tr.remove("film/clip.mp4") }, Options{}, "the picture of film, frame 0 is missing"},
		"no JSON":    {func(tr tree) { tr.text("film/truth.json", "{") }, Options{}, "reading"},
		"no frames":  {func(tr tree) { tr.text("film/truth.json", "{}") }, Options{}, "about no frame"},
		"scenes":     {func(tr tree) { tr.text("film/truth.json", `{"frames":[{"labels":["a"]},{"labels":["b"]}]}`) }, Options{}, "not a clip"},
		"twice":      {func(tr tree) { tr.text("film/truth.json", `{"absent":["a"],"frames":[{"labels":["a"]}]}`) }, Options{}, "reading"},
	} {
		tr := clipsTree(t)
		c.change(tr)
		if _, err := Open("clips", tr.dir, c.options); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
