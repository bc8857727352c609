package clips

import "github.com/carve-video/carve/internal/stickers"

// The kinds of the second suite have several things of one concept.

// another returns a thing of a concept that looks unlike the sticker itself: pale, dark or of
// another hue.
func (d *director) another(t stickers.Track) stickers.Track {
	light, contrast := .5, d.between(.5, .7)
	if d.coin() {
		light = d.between(.62, .75)
	} else {
		light = d.between(.32, .42)
	}
	grey := make([]float64, 3)
	for i := range grey {
		grey[i] = round(min(max(light+d.between(-.12, .12), 0), 1))
	}
	t.Tone = &stickers.Tone{Contrast: contrast, Grey: grey}
	return t
}

// small returns a size that is still more than a hundredth of the image.
func (d *director) small() float64 { return d.between(.26, .32) }

func pair(d *director) *stickers.Clip {
	c := d.clip(5)
	p := d.places(2)
	name := d.concept()
	c.Tracks = []stickers.Track{
		d.resident(name, p[0], d.usualSize(), -.2, 5.2),
		d.another(d.resident(name, p[1], d.small(), -.2, 5.2)),
	}
	c.Absent = d.concepts(8)
	return c
}

func herd(d *director) *stickers.Clip {
	c := d.clip(5)
	p := d.places(5)
	name := d.concept()
	for i, size := range []float64{d.between(.36, .42), d.between(.3, .36), d.small(), d.small()} {
		t := d.resident(name, p[i], size, -.2, 5.2)
		if i > 0 {
			t = d.another(t)
		}
		c.Tracks = append(c.Tracks, t)
	}
	c.Tracks = append(c.Tracks, d.resident(d.concept(), p[4], d.between(.3, .4), -.2, 5.2))
	c.Absent = d.concepts(7)
	return c
}

func herdLeaves(d *director) *stickers.Clip {
	c := d.clip(7)
	p := d.places(3)
	name := d.concept()
	stays, small := d.resident(name, p[0], d.usualSize(), -.2, 7.2), d.another(d.resident(name, p[1], d.small(), -.2, 7.2))
	leaves, comes := d.another(d.sticker(name)), d.another(d.sticker(name))
	leaves.Keys = d.passage(d.side(), d.between(.22, .3), d.between(.34, .4), -1, 2.2)
	comes.Keys = d.passage(d.side(), d.between(.7, .78), d.between(.34, .4), 3.4, 6.8)
	c.Tracks = []stickers.Track{stays, small, leaves, comes}
	c.Absent = d.concepts(8)
	return c
}

func herdCrosses(d *director) *stickers.Clip {
	c := d.clip(5)
	name := d.concept()
	side, y := d.side(), d.between(.45, .55)
	stands := d.another(d.resident(name, place{.4, y - .05, .6, y + .05}, d.between(.42, .5), -.2, 5.2))
	one, other := d.sticker(name), d.another(d.sticker(name))
	one.Keys = d.passage(side, round(y-.06), d.between(.34, .4), -.4, 4)
	other.Keys = d.passage(-side, round(y+.1), d.between(.3, .36), .6, 5.2)
	c.Tracks = []stickers.Track{stands, one, other}
	c.Absent = d.concepts(8)
	return c
}

func herds(d *director) *stickers.Clip {
	c := d.clip(5)
	names := d.concepts(2)
	// Two rows of three, in which the kinds take turns.
	for i := range 6 {
		x, y := .05+.3*float64(i%3), .27+.46*float64(i/3)
		t := d.resident(names[i%2], place{x, y - .04, x + .3, y + .04}, d.between(.27, .4), -.2, 5.2)
		if i >= 2 {
			t = d.another(t)
		}
		c.Tracks = append(c.Tracks, t)
	}
	c.Absent = d.concepts(8)
	return c
}

func vanishes(d *director) *stickers.Clip {
	c := d.clip(6)
	p := d.places(3)
	name := d.concept()
	stays, goes := d.resident(name, p[0], d.usualSize(), -.2, 6.2), d.another(d.resident(name, p[1], d.between(.32, .4), -.2, 6.2))
	alone := d.resident(d.concept(), p[2], d.usualSize(), -.2, 6.2)
	goes.Gone = [][2]float64{{d.between(1.8, 2.6), 7}}
	alone.Gone = [][2]float64{{d.between(3, 3.8), 7}}
	c.Tracks = []stickers.Track{stays, goes, alone}
	c.Absent = d.concepts(7)
	return c
}
