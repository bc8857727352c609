package car

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
)

// A Scene is what is known of one picture: everything that no text changes,
// computed once. It keeps the picture, which must not change until Close.
type Scene struct {
	segmenter  *Segmenter
	img        *Image
	view       View
	rows, cols int
	affinity   affinity
	heats      [][]float32 // of proposals, W×H each
	spare      [][]float32 // memory for more of them

	known    span            // maps of directions taken so far
	around   []*surroundings // per set of prompts that change what is outside a mask
	vectors  map[shown][]float32
	presence map[int]float32 // of queries, where it was weighed
}

// surroundings is the picture as the prompts leave it outside a mask.
type surroundings struct {
	made bool // for the picture in hand
	set  prompts
	img  Image
}

// shown identifies a prompted image: equal masks under equal prompts are
// encoded once. The unprompted picture has the zero value.
type shown struct {
	set  prompts
	hash uint64
	area int
}

var maskSeed = maphash.MakeSeed()

// Look runs the proposer's trunk over a picture.
func (s *Segmenter) Look(ctx context.Context, img *Image) (*Scene, error) {
	scenes, err := s.LookAll(ctx, []*Image{img})
	if err != nil {
		return nil, err
	}
	return scenes[0], nil
}

// LookAll is Look for several pictures: in one go if they have one size and the
// proposer can. It returns the scenes of all of them or none.
func (s *Segmenter) LookAll(ctx context.Context, images []*Image) ([]*Scene, error) {
	l := s.lookingFor()
	defer s.keepLooking(l)
	for len(l.wholes) < len(images) {
		l.wholes = append(l.wholes, &Image{})
	}
	wholes := l.wholes[:len(images)]
	for i, img := range images {
		if img.W <= 0 || img.H <= 0 || len(img.Pix) < 3*img.W*img.H {
			return nil, fmt.Errorf("looking at a picture of %dx%d: it has %d bytes", img.W, img.H, len(img.Pix))
		}
		// Whole patches: the sides grow by less than one (car.md 3.1).
		p := s.proposer.PatchSize()
		l.resizer.resize(img, (img.W+p-1)/p*p, (img.H+p-1)/p*p, wholes[i], s.threads())
	}
	views, err := s.views(ctx, wholes)
	if err != nil {
		return nil, fmt.Errorf("looking at a picture of %dx%d: %w", images[0].W, images[0].H, err)
	}
	scenes := make([]*Scene, len(images))
	for i, view := range views {
		scene := s.sceneFor()
		scene.img, scene.view = images[i], view
		scene.rows, scene.cols = view.Grid()
		scenes[i] = scene
		if err := scene.affinity.build(ctx, view.Attention(), scene.rows*scene.cols, s.threads()); err != nil {
			for _, made := range scenes[:i+1] {
				made.Close()
			}
			for _, other := range views[i+1:] {
				other.Close()
			}
			return nil, err
		}
	}
	return scenes, nil
}

// looking is memory that one call of Look needs. Several may run at the same time: ahead
// of the loop, for frames that are certain to be looked at, and in it.
type looking struct {
	resizer resizer
	wholes  []*Image // in whole patches
}

func (s *Segmenter) lookingFor() *looking {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.looking); n > 0 {
		l := s.looking[n-1]
		s.looking = s.looking[:n-1]
		return l
	}
	return new(looking)
}

func (s *Segmenter) keepLooking(l *looking) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.looking = append(s.looking, l)
}

// views runs the trunk, over all pictures at once if that can be done.
func (s *Segmenter) views(ctx context.Context, images []*Image) ([]View, error) {
	together, can := s.proposer.(BatchProposer)
	for _, img := range images {
		can = can && img.W == images[0].W && img.H == images[0].H
	}
	if can {
		return together.LookAll(ctx, images)
	}
	var views []View
	for _, img := range images {
		view, err := s.proposer.Look(ctx, img)
		if err != nil {
			for _, v := range views {
				v.Close()
			}
			return nil, err
		}
		views = append(views, view)
	}
	return views, nil
}

// sceneFor returns an empty scene, with the memory of an earlier one if there
// is one.
func (s *Segmenter) sceneFor() *Scene {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.spare); n > 0 {
		scene := s.spare[n-1]
		s.spare = s.spare[:n-1]
		return scene
	}
	return &Scene{segmenter: s, vectors: make(map[shown][]float32), presence: make(map[int]float32)}
}

// Size returns the picture's width and height.
func (sc *Scene) Size() (w, h int) { return sc.img.W, sc.img.H }

// Close gives the memory of the scene, and of all that was proposed in it, back
// to the segmenter. A second Close does nothing.
func (sc *Scene) Close() {
	if sc.img == nil {
		return
	}
	sc.release()
	sc.img = nil
	sc.spare, sc.heats = append(sc.spare, sc.heats...), sc.heats[:0]
	clear(sc.vectors)
	clear(sc.presence)
	for i := range sc.around {
		sc.around[i].made = false
	}
	sc.known.reset()
	s := sc.segmenter
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spare = append(s.spare, sc)
}

// release gives the model's memory back once nothing more will be proposed.
func (sc *Scene) release() {
	if sc.view != nil {
		sc.view.Close()
		sc.view = nil
	}
}

// heat returns memory for a proposal.
func (sc *Scene) heat() []float32 {
	n := sc.img.W * sc.img.H
	var heat []float32
	if last := len(sc.spare) - 1; last >= 0 {
		heat, sc.spare = sc.spare[last], sc.spare[:last]
	}
	heat = grow(heat, n)
	sc.heats = append(sc.heats, heat)
	return heat
}

// keep takes back the memory of all proposals but those given: a stage of many
// texts is far larger than what it leaves.
func (sc *Scene) keep(proposals ...[]Proposal) {
	sc.heats = slices.DeleteFunc(sc.heats, func(heat []float32) bool {
		for _, list := range proposals {
			for i := range list {
				if &list[i].Heat[0] == &heat[0] {
					return false
				}
			}
		}
		sc.spare = append(sc.spare, heat)
		return true
	})
}

// surroundings returns the picture under the prompts that change what lies
// outside a mask.
func (sc *Scene) surroundings(set prompts) *Image {
	set &= promptSet([]Prompt{Blur, Gray, Black})
	at := slices.IndexFunc(sc.around, func(a *surroundings) bool { return a.made && a.set == set })
	if at < 0 {
		if at = slices.IndexFunc(sc.around, func(a *surroundings) bool { return !a.made }); at < 0 {
			at = len(sc.around)
			sc.around = append(sc.around, new(surroundings))
		}
		weights := grayWeights
		if sc.segmenter.preset.Quirks.SwapGray {
			weights = swappedWeights
		}
		a := sc.around[at]
		surround(sc.img, set, weights, &a.img, &sc.segmenter.scratch.blur, sc.segmenter.threads())
		a.made, a.set = true, set
	}
	return &sc.around[at].img
}

// cam returns the raw maps of directions. Those that follow from maps taken
// before are put together from them; the rest are one batch for the model.
func (sc *Scene) cam(ctx context.Context, directions [][]float32) ([][]float32, error) {
	maps := make([][]float32, len(directions))
	var fresh []int
	var ask [][]float32
	for i, d := range directions {
		if m, ok := sc.known.find(d); ok {
			maps[i] = m
			continue
		}
		fresh, ask = append(fresh, i), append(ask, d)
	}
	if len(ask) == 0 {
		return maps, nil
	}
	taken, err := sc.view.CAM(ctx, ask)
	if err != nil {
		return nil, err
	}
	for k, i := range fresh {
		maps[i] = taken[k]
		sc.known.add(ask[k], taken[k])
	}
	return maps, nil
}

func maskIdentity(mask []uint8, area int, set prompts) shown {
	return shown{set: set, hash: maphash.Bytes(maskSeed, mask), area: area}
}
