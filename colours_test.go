package carve

import (
	"errors"
	"path/filepath"
	"testing"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/davis"
	"github.com/carve-video/carve/video"
	"github.com/carve-video/carve/video/overlay"
)

// TestPaletteOfMasks: with DAVIS's palette, an overlay has the colours of an indexed mask
// sequence of the same concepts, also of queries that come later. A query's own colour stays.
func TestPaletteOfMasks(t *testing.T) {
	masks := &Masks{palette: davis.Palette()}
	queries := []car.Query{{ID: 1, Label: "a"}, {ID: 2, Label: "b", Colour: "#010203"}, {ID: 4, Label: "c"}}
	own := [3]uint8{1, 2, 3}
	for _, c := range []struct {
		only queryIDs
		want []int // number of each query in masks; 0 is its own colour
	}{{nil, []int{1, 0, 3, 4}}, {map[int]bool{4: true, 7: true}, []int{-1, 0, 1, 2}}} {
		r := &recolouring{palette: overlay.PaletteDAVIS, only: c.only}
		r.set(queries)
		later := append(queries[:3:3], car.Query{ID: 7, Label: "d"})
		r.set(later)
		for i := range later {
			got := r.colour(&later[i], i, own, 0)
			switch n := c.want[i]; {
			case n == 0 && got != own:
				t.Errorf("%s has %v, not its own colour", later[i].Label, got)
			case n > 0:
				if want := masks.hex(n); hex(got) != want {
					t.Errorf("of %v, %s is %s; in masks it is %s", c.only, later[i].Label, hex(got), want)
				}
			}
		}
	}
	safe := &recolouring{}
	safe.set(queries)
	if got := safe.colour(&queries[0], 0, own, 2); got != own {
		t.Errorf("the colour of the run became %v", got)
	}
}

// TestLayouts: an unknown layout is an error before there is a file, also in a trial.
func TestLayouts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out.mkv")
	shot := newSheetShot(t, 64, 36, "dog")
	for layout, size := range map[Layout]int{"": 64, LayoutOver: 64, LayoutSide: 128, "under": 0} {
		o := &Overlay{Layout: layout, Output: video.Sink{Path: path, Reel: shot.reel, Overwrite: true}}
		try, err := o.Try(t.Context(), shot.stream), o.Open(t.Context(), shot.stream)
		if (try == nil) != (size > 0) || (err == nil) != (size > 0) {
			t.Errorf("layout %q: %v, and in a trial %v", layout, err, try)
		}
		if err != nil {
			continue
		}
		shot.write(t, o, 0, 0, 100)
		if err := errors.Join(o.Prepare(), o.Commit(), o.Close()); err != nil {
			t.Fatal(err)
		}
		src := &video.Source{Path: path}
		if err := src.Initialize(); err != nil {
			t.Fatal(err)
		}
		if got := src.Info().Width; got != size {
			t.Errorf("layout %q: frames are %d pixels wide", layout, got)
		}
		src.Close()
	}
}
