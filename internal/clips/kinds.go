package clips

import (
	"fmt"
	"slices"

	"github.com/carve-video/carve/internal/stickers"
)

// A Kind of clip tests one thing.
type Kind struct {
	Name  string
	About string // what it tests, in a line
	Suite int    // the standing suite that has a clip of it: 1 or 2

	draw func(d *director) *stickers.Clip
}

// script is the file of its standing clip.
func (k *Kind) script() string {
	if k.Suite == 1 {
		return "suite/" + k.Name + ".yaml"
	}
	return fmt.Sprintf("suite%d/%s.yaml", k.Suite, k.Name)
}

// Kinds returns all kinds of clips, those of the first suite first.
func Kinds() []Kind { return slices.Clone(kinds) }

// Suites is the number of standing suites.
const Suites = 2

var kinds = []Kind{
	{"crossing", "things pass behind and before each other, twice, until little of the lower one is seen", 1, crossing},
	{"return", "things leave over an edge or vanish, and come back elsewhere", 1, returning},
	{"absent", "ten concepts are asked for that are never there, and two that are", 1, absent},
	{"lookalikes", "things are asked for that are not there but look like what is", 1, lookalikes},
	{"tiny", "things as small as one or two hundredths of the picture", 1, tiny},
	{"cut", "three shots with hard cuts; what was there is gone, and some of it comes back", 1, cut},
	{"fade", "a fade to black and back, a dissolve, and a thing that fades in and out", 1, fade},
	{"camera", "the camera pans over a wide scene and comes closer; things come into view and leave", 1, camera},
	{"ten", "ten concepts at once, all moving", 1, ten},
	{"one", "a single concept is asked for, which is there half of the time", 1, one},
	{"light", "it gets dark, bright, and the light changes its colour", 1, light},
	{"compression", "a film that was compressed hard, with grain, blur and frames left out", 1, compression},

	{"pair", "two of a kind, one of them paler and smaller", 2, pair},
	{"herd", "four of a kind of unlike size and colour, and something else", 2, herd},
	{"herd_leaves", "three of a kind; one leaves, and later another comes", 2, herdLeaves},
	{"herd_crosses", "two of a kind pass each other in front of a third one", 2, herdCrosses},
	{"herds", "two kinds with three each, among each other", 2, herds},
	{"vanishes", "of two of a kind one vanishes at once, and so does something else", 2, vanishes},
}

func crossing(d *director) *stickers.Clip {
	c := d.clip(5)
	y, size := d.between(.45, .6), d.usualSize()
	// One object stands still; another passes over it and comes back behind it.
	stands, over, under := d.concept(), d.concept(), d.concept()
	side := d.side()
	below := d.sticker(under)
	below.Keys = d.passage(-side, y, round(size*.9), 2.4, 5.2)
	middle := d.resident(stands, place{.38, y - .05, .62, y + .05}, size, -.2, 5.2)
	above := d.sticker(over)
	above.Keys = d.passage(side, y, round(size*.8), .3, 3.4)
	c.Tracks = []stickers.Track{below, middle, above}
	c.Absent = d.concepts(7)
	return c
}

func returning(d *director) *stickers.Clip {
	c := d.clip(7)
	p := d.places(3)
	stays := d.resident(d.concept(), p[0], d.usualSize(), -.2, 7.2)
	// It leaves over one edge and returns over the same or the other, elsewhere.
	leaves := d.concept()
	size, side := d.usualSize(), d.side()
	away, back := d.sticker(leaves), d.sticker(leaves)
	back.Variant, back.Flip = away.Variant, away.Flip
	away.Keys = d.passage(side, d.between(.3, .45), size, -1.3, 2)
	back.Keys = d.passage(d.side(), d.between(.55, .7), size, 3.2, 6.6)
	vanishes := d.resident(d.concept(), p[1], d.usualSize(), -.2, 7.2)
	vanishes.Gone = [][2]float64{{d.between(1, 1.4), d.between(2.2, 3)}, {d.between(4.2, 4.6), d.between(5.4, 6)}}
	c.Tracks = []stickers.Track{stays, vanishes, away, back}
	c.Absent = d.concepts(7)
	return c
}

func absent(d *director) *stickers.Clip {
	c := d.clip(5)
	p := d.places(2)
	c.Tracks = []stickers.Track{
		d.resident(d.concept(), p[0], d.usualSize(), -.2, 5.2),
		d.resident(d.concept(), p[1], d.usualSize(), -.2, 5.2),
	}
	c.Absent = d.concepts(10)
	return c
}

// alike are groups of concepts that look alike.
var alike = [][]string{
	{"dog", "fox"}, {"lion", "tiger", "cat"}, {"cow", "horse", "zebra"}, {"car", "bus", "train"}, {"soccer ball", "basketball"},
	{"chicken", "duck"}, {"whale", "fish"}, {"bee", "butterfly"}, {"apple", "strawberry"}, {"penguin", "panda"}, {"cake", "ice cream"},
	{"hamburger", "donut", "pizza"}, {"airplane", "rocket"}, {"sheep", "pig"}, {"octopus", "crab"}, {"frog", "turtle"},
	{"pineapple", "cactus"}, {"broccoli", "mushroom"},
}

func lookalikes(d *director) *stickers.Clip {
	c := d.clip(5)
	groups := slices.Clone(alike)
	d.Shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
	p := d.places(4)
	// Of two groups one concept is there, of the third two. All are queries.
	for i, show := range []int{1, 1, 2} {
		g := slices.Clone(groups[i])
		d.Shuffle(len(g), func(i, j int) { g[i], g[j] = g[j], g[i] })
		d.take(g...)
		for _, name := range g[:show] {
			c.Tracks = append(c.Tracks, d.resident(name, p[len(c.Tracks)], d.between(.34, .42), -.2, 5.2))
		}
		c.Absent = append(c.Absent, g[show:]...)
	}
	// And absent concepts that resemble nothing present.
	c.Absent = append(c.Absent, d.concepts(10-len(c.Tracks)-len(c.Absent))...)
	return c
}

func tiny(d *director) *stickers.Clip {
	c := d.clip(5)
	for _, p := range d.places(3) {
		c.Tracks = append(c.Tracks, d.resident(d.concept(), p, d.between(.17, .23), -.2, 5.2))
	}
	c.Absent = d.concepts(7)
	return c
}

func cut(d *director) *stickers.Clip {
	c := d.clip(6)
	first, second := d.between(1.8, 2.2), d.between(3.8, 4.2)
	c.Cuts = []stickers.Cut{{T: first, Background: d.background()}, {T: second, Background: d.background()}}
	shots := [][2]float64{{-.2, first - .001}, {first, second - .001}, {second, 6.2}}
	// One concept is in the first shot and in the last.
	names := d.concepts(5)
	for i, show := range [][]string{{names[0], names[1]}, {names[2], names[3]}, {names[0], names[4]}} {
		for k, p := range d.places(2) {
			c.Tracks = append(c.Tracks, d.resident(show[k], p, d.usualSize(), round(shots[i][0]), round(shots[i][1])))
		}
	}
	c.Absent = d.concepts(5)
	return c
}

func fade(d *director) *stickers.Clip {
	c := d.clip(7)
	p := d.places(3)
	black, over := d.between(1.8, 2.2), d.between(4.3, 4.7)
	c.Fades = []stickers.Fade{{T: black, Seconds: 1.2, Hold: .25}}
	c.Cuts = []stickers.Cut{{T: over, Background: d.background(), Dissolve: .8}}
	// The first objects leave and others appear during the dissolve.
	before, after := round(over+.4), round(over-.4)
	stays := d.resident(d.concept(), p[0], d.usualSize(), -1, before)
	comes := d.resident(d.concept(), p[0], d.usualSize(), after, 8)
	goes := d.resident(d.concept(), p[1], d.usualSize(), -1, before)
	alone := d.resident(d.concept(), p[2], d.usualSize(), round(black+.6), 6.6)
	stays.Fade, comes.Fade, goes.Fade, alone.Fade = .8, .8, .8, .8
	c.Tracks = []stickers.Track{stays, comes, goes, alone}
	c.Absent = d.concepts(6)
	return c
}

func camera(d *director) *stickers.Clip {
	c := d.clip(7)
	side := d.side()
	// Four stickers wander in a scene that is two images wide. The camera starts in the
	// middle, turns to one side, zooms in, and comes back.
	far := 1.1 * side // in image heights
	c.Camera = []stickers.CameraKey{
		{T: 0, Zoom: 1}, {T: 1, X: round(.15 * side), Zoom: 1}, {T: 2.8, X: round(far), Y: d.between(-.06, .06), Zoom: 1.05},
		{T: 3.8, X: round(far), Zoom: d.between(1.3, 1.5)}, {T: 5.4, X: round(.1 * side), Zoom: 1}, {T: 7, X: 0, Zoom: d.between(1.1, 1.25)},
	}
	// Their positions, in widths of the image at rest.
	for _, x := range []float64{.5 - .34*side, .5 + .02*side, .5 + .5*side, .5 + .84*side} {
		in := place{x - .12, .4, x + .12, .6}
		c.Tracks = append(c.Tracks, d.resident(d.concept(), in, d.between(.34, .44), -.2, 7.2))
	}
	c.Absent = d.concepts(6)
	return c
}

func ten(d *director) *stickers.Clip {
	c := d.clip(5)
	// Two rows of five.
	for i, name := range d.concepts(10) {
		x, y := .02+.192*float64(i%5), .27+.46*float64(i/5)
		c.Tracks = append(c.Tracks, d.resident(name, place{x, y - .04, x + .192, y + .04}, d.between(.27, .32), -.2, 5.2))
	}
	c.Absent = d.concepts(4)
	return c
}

func one(d *director) *stickers.Clip {
	c := d.clip(6)
	p := d.places(2)
	t := d.resident(d.concept(), p[0], d.usualSize(), -.2, 6.2)
	t.Gone = [][2]float64{{-1, d.between(.6, 1)}, {d.between(2.4, 2.8), d.between(4.2, 4.6)}}
	// Another object is there all the time without being a query: a single query must
	// be weighed against more than the other queries.
	other := d.resident(d.concept(), p[1], d.usualSize(), -.2, 6.2)
	c.Tracks = []stickers.Track{other, t}
	c.Unasked = []string{other.Concept}
	return c
}

func light(d *director) *stickers.Clip {
	c := d.clip(6)
	for _, p := range d.places(3) {
		c.Tracks = append(c.Tracks, d.resident(d.concept(), p, d.usualSize(), -.2, 6.2))
	}
	c.Light = []stickers.LightKey{
		{T: .5}, {T: 1.5, Exposure: d.between(-1.8, -1.2)}, {T: 2.1, Exposure: d.between(-1.8, -1.2)},
		{T: 2.3, Exposure: d.between(.5, .8)}, // the light is switched on
		{T: 3.4, Contrast: d.between(.5, .7)},
		{T: 4.4, Colour: []float64{d.between(.9, 1), d.between(.65, .8), d.between(.4, .6)}},
		{T: 5.4, Colour: []float64{d.between(.5, .7), d.between(.7, .85), d.between(.9, 1)}, Exposure: d.between(-.6, -.2)},
	}
	c.Absent = d.concepts(7)
	return c
}

func compression(d *director) *stickers.Clip {
	c := d.clip(5)
	for _, p := range d.places(3) {
		c.Tracks = append(c.Tracks, d.resident(d.concept(), p, d.usualSize(), -.2, 5.2))
	}
	c.Drop, c.Blur, c.Grain = .25, d.between(.003, .006), d.between(.03, .045)
	c.Quality, c.CRF = round(d.between(14, 22)), 38
	c.Absent = d.concepts(7)
	return c
}
