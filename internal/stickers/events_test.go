package stickers

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// eventful is a clip of ten frames a second with every kind of event.
func eventful(t *testing.T) *Clip {
	still := func(concept string, from, to float64, gone ...[2]float64) Track {
		return Track{Concept: concept, Gone: gone, Keys: []Key{{T: from, X: .5, Y: .5, Size: .5}, {T: to, X: .5, Y: .5, Size: .5}}}
	}
	c := &Clip{
		About: "events", Width: 64, Height: 48, Rate: Rate{10, 1}, Frames: 60, Background: "plain",
		Cuts:  []Cut{{T: 2, Background: "gradient"}, {T: 4, Dissolve: .5}},
		Fades: []Fade{{T: 3, Seconds: .6, Hold: .2}},
		Tracks: []Track{
			still("dog", 0, 9, [2]float64{.5, 1}),
			{Concept: "bee", Keys: []Key{{T: 5, X: .13, Y: .22, Size: .4}, {T: 5.5, X: .13, Y: .22, Size: .4}}},
			still("clock", 0, 9),
		},
		Absent: []string{"pizza"}, Unasked: []string{"clock"},
	}
	// The clock is out of the way of the others.
	for i := range c.Tracks[2].Keys {
		c.Tracks[2].Keys[i].X, c.Tracks[2].Keys[i].Y, c.Tracks[2].Keys[i].Size = .9, .9, .3
	}
	if err := c.Initialize(); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAlbumOfClip(t *testing.T) {
	c := eventful(t)
	var frames []AlbumFrame
	for n := range c.Len() {
		_, truth := c.Frame(n)
		frames = append(frames, truth.Words())
		for _, l := range truth.Labels {
			if int(l) > len(truth.Names) {
				t.Fatalf("frame %d has label %d of %v", n, l, truth.Names)
			}
		}
	}
	a := c.Album(frames)
	want := []Event{
		{Frame: 5, Event: Leaves, Concept: "dog"},
		{Frame: 10, Event: Returns, Concept: "dog"},
		{Frame: 20, Event: CutTo},
		// The fade is visible in all its frames but the first and last, and hides the
		// dog from four fifths on.
		{Frame: 28, Until: 32, Event: Fades},
		{Frame: 29, Event: Leaves, Concept: "dog"},
		{Frame: 32, Event: Returns, Concept: "dog"},
		{Frame: 38, Until: 42, Event: Dissolves},
		{Frame: 50, Event: Enters, Concept: "bee"},
		{Frame: 56, Event: Leaves, Concept: "bee"},
	}
	if d := cmp.Diff(want, a.Events); d != "" {
		t.Error(d)
	}
	if a.About != "events" || a.Rate != "10" || len(a.Times) != 60 || a.Times[7] != .7 || !slices.Equal(a.Absent, []string{"pizza"}) {
		t.Errorf("%+v", a)
	}
	if d := cmp.Diff([]AlbumTrack{{1, "dog"}, {2, "bee"}, {3, "clock"}}, a.Tracks); d != "" {
		t.Error(d)
	}
	// A concept that is not queried is drawn, and is background in the truth.
	if slices.Contains(c.Queries(), "clock") || slices.Contains(frames[0].Labels, "clock") {
		t.Errorf("the clock is asked for: %v, %v", c.Queries(), frames[0].Labels)
	}
	if _, truth := c.Frame(0); !slices.Contains(truth.Tracks, 3) {
		t.Error("the clock is not to be seen")
	}
}

func TestUnasked(t *testing.T) {
	for _, names := range [][]string{{"pizza"}, {"clock", "clock"}} {
		c := eventful(t)
		c.Unasked = names
		if err := c.Initialize(); err == nil {
			t.Errorf("%v are not asked for, and there is no error", names)
		}
	}
}
