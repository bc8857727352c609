package stickers

import (
	"image"
	"math"
)

// A Scene is one random image with its truth.
type Scene struct {
	Image *image.RGBA
	Truth *Truth
}

// SceneOptions say what kind of scenes are drawn.
type SceneOptions struct {
	Width, Height int

	// Sizes of stickers, longer side, log-uniform: from Smallest pixels to Largest
	// times the shorter side of the image. With many stickers they are smaller.
	Smallest, Largest float64

	// Counts[n] is the relative probability of n stickers.
	Counts []float64

	// Probabilities of a blurred and of a block-quantised image.
	Blur, JPEG float64
}

// MeasureOptions returns the options of measured scene i, as in evaluate.py of the demo
// model: three sizes in turn, no to five stickers. The model's figures are for such
// scenes.
func MeasureOptions(i int) SceneOptions {
	size := [][2]int{{256, 144}, {288, 160}, {320, 192}}[i%3]
	return SceneOptions{
		Width: size[0], Height: size[1],
		Smallest: .12 * float64(size[1]), Largest: .7,
		Counts: []float64{0, .3, .3, .2, .12, .08},
	}
}

// TrainingOptions returns the options of the scenes of the model's second training
// phase, at a given size.
func TrainingOptions(width, height int) SceneOptions {
	return SceneOptions{
		Width: width, Height: height, Smallest: 13, Largest: .8,
		Counts: []float64{.08, .25, .25, .18, .14, .1}, Blur: .25, JPEG: .3,
	}
}

// NewScene draws a scene. The same seed and options give the same scene.
func NewScene(seed uint64, o SceneOptions) *Scene {
	d := newDice(seed, 0)
	s := &stack{canvas: background(o.Width, o.Height, -1, d)}
	all := sheet().names
	n := d.weighted(o.Counts)
	short := float64(min(o.Width, o.Height))
	is := make(map[string]bool)
	var last string
	for i := range n {
		name := all[d.IntN(len(all))]
		if i > 0 && d.chance(.06) { // sometimes two of a kind
			name = last
		}
		last, is[name] = name, true
		cells := sheet().of[name]
		size := o.Smallest * math.Exp(d.Float64()*math.Log(short*o.Largest/o.Smallest))
		size = min(size, short*1.25/max(math.Sqrt(float64(n)), 1.2))
		p := Pose{
			Size: size,
			X:    size*.35 + d.Float64()*(float64(o.Width)-.7*size),
			Y:    size*.35 + d.Float64()*(float64(o.Height)-.7*size),
			Flip: d.chance(.5),
		}
		if d.chance(.85) {
			p.Rotation = (d.Float64() - .5) * .8
		} else {
			p.Rotation = (d.Float64() - .5) * 2
		}
		p.Aspect = math.Exp((d.Float64() - .5) * .7)
		t := tone{contrast: .7 + .5*d.u()}
		light := .5 + (d.u()-.5)*.3
		for c := range t.grey {
			t.grey[c] = light + (d.u()-.5)*.12
		}
		s.put(name, cells[d.IntN(len(cells))], p, t)
	}
	var names []string // in list order, as in the script
	for _, name := range all {
		if is[name] {
			names = append(names, name)
		}
	}
	s.degrade(o.Blur, o.JPEG, d)
	return &Scene{Image: s.rgba(), Truth: s.truth(names)}
}
