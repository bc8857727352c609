package clips

import (
	"math"
	"math/rand/v2"
	"slices"

	"github.com/carve-video/carve/internal/stickers"
)

// Clips of all kinds have this size and rate.
const (
	width, height = 320, 180
	rate          = 24 // frames a second
)

// A director draws the contents of a clip.
type director struct {
	*rand.Rand
	free []string // unused concepts, shuffled
}

func newDirector(seed, kind uint64) *director {
	d := &director{Rand: rand.New(rand.NewPCG(seed, kind))}
	d.free = stickers.Concepts()
	d.Shuffle(len(d.free), func(i, j int) { d.free[i], d.free[j] = d.free[j], d.free[i] })
	return d
}

// between draws a uniform number with three decimals, so that scripts are easy to read.
func (d *director) between(low, high float64) float64 { return round(low + d.Float64()*(high-low)) }

func round(v float64) float64 { return math.Round(v*1000) / 1000 }

func (d *director) coin() bool { return d.IntN(2) == 0 }

// side is -1 or 1.
func (d *director) side() float64 { return float64(d.IntN(2)*2 - 1) }

// concept takes a concept that is not in the clip yet.
func (d *director) concept() string { return d.concepts(1)[0] }

func (d *director) concepts(n int) []string {
	taken := slices.Clone(d.free[:n])
	d.free = d.free[n:]
	return taken
}

// take removes these concepts from the free ones.
func (d *director) take(names ...string) {
	d.free = slices.DeleteFunc(d.free, func(name string) bool { return slices.Contains(names, name) })
}

// clip returns an empty clip of this many seconds with a random background, slightly
// blurred and grainy like a video.
func (d *director) clip(seconds float64) *stickers.Clip {
	return &stickers.Clip{
		Width: width, Height: height, Rate: stickers.Rate{Num: rate, Den: 1}, Frames: int(math.Round(seconds * rate)),
		Seed: d.Uint64N(1_000_000), Background: d.background(), Grain: d.between(.005, .02), CRF: 18,
	}
}

func (d *director) background() string {
	return stickers.BackgroundKinds[d.IntN(len(stickers.BackgroundKinds))]
}

// sticker returns a track without keys.
func (d *director) sticker(concept string) stickers.Track {
	return stickers.Track{Concept: concept, Variant: d.IntN(stickers.Variants(concept)), Flip: d.coin()}
}

// A place is a part of the image, in shares of its sides.
type place struct{ x0, y0, x1, y1 float64 }

// places returns n parts side by side, in random order. They keep half an object's size
// away from the edges of the image.
func (d *director) places(n int) []place {
	var all []place
	for i := range n {
		w := .84 / float64(n)
		all = append(all, place{.08 + float64(i)*w, .3, .08 + float64(i+1)*w, .7})
	}
	d.Shuffle(n, func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// wander returns a path within a place, from one time to another, in steps of about a
// second. It moves about, turns and changes its size a little, and stays in the image.
func (d *director) wander(in place, size, from, to float64) []stickers.Key {
	steps := max(2, int(math.Round((to-from)/1.1)))
	var keys []stickers.Key
	for i := range steps + 1 {
		keys = append(keys, stickers.Key{
			T:    round(from + (to-from)*float64(i)/float64(steps)),
			X:    d.between(in.x0+(in.x1-in.x0)*.3, in.x1-(in.x1-in.x0)*.3),
			Y:    d.between(in.y0, in.y1),
			Size: round(size * d.between(.92, 1.08)),
			Turn: round(d.between(-14, 14)),
		})
	}
	return keys
}

// resident returns a sticker that is there from one time to another and wanders about.
func (d *director) resident(concept string, in place, size, from, to float64) stickers.Track {
	t := d.sticker(concept)
	t.Keys = d.wander(in, size, from, to)
	return t
}

// passage returns a path straight through the image, from outside one edge to outside
// the other: to the right if side is 1.
func (d *director) passage(side, y, size, from, to float64) []stickers.Key {
	// Half of the sticker's width, as a share of the image's, and a little more.
	out := size*height/width/2 + .05
	start, end := -out, 1+out
	if side < 0 {
		start, end = end, start
	}
	var keys []stickers.Key
	for i := range 4 {
		u := float64(i) / 3
		keys = append(keys, stickers.Key{
			T: round(from + (to-from)*u), X: round(start + (end-start)*u), Y: round(y + d.between(-.04, .04)),
			Size: size, Turn: round(d.between(-8, 8)),
		})
	}
	return keys
}

// usualSize returns a size that is neither hard to find nor fills the image.
func (d *director) usualSize() float64 { return d.between(.36, .5) }
