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

	around  [2]surroundings
	vectors map[shown][]float32
}

// surroundings is the picture as the prompts leave it outside a mask.
type surroundings struct {
	made bool
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
	if img.W <= 0 || img.H <= 0 || len(img.Pix) < 3*img.W*img.H {
		return nil, fmt.Errorf("looking at a picture of %dx%d: it has %d bytes", img.W, img.H, len(img.Pix))
	}
	scene := s.sceneFor()
	scene.img = img
	// Whole patches: the sides grow by less than one (car.md 3.1).
	p := s.proposer.PatchSize()
	whole := resizeBicubic(img, (img.W+p-1)/p*p, (img.H+p-1)/p*p, &s.scratch.whole, &s.scratch.half)
	view, err := s.proposer.Look(ctx, whole)
	if err != nil {
		scene.Close()
		return nil, fmt.Errorf("looking at a picture of %dx%d: %w", img.W, img.H, err)
	}
	scene.view = view
	scene.rows, scene.cols = view.Grid()
	scene.affinity.build(view.Attention(), scene.rows*scene.cols, s.threads())
	return scene, nil
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
	return &Scene{segmenter: s, vectors: make(map[shown][]float32)}
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
	for i := range sc.around {
		sc.around[i].made = false
	}
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
	for i := range sc.around {
		a := &sc.around[i]
		if a.made && a.set != set {
			continue
		}
		if !a.made {
			surround(sc.img, set, &a.img, &sc.segmenter.scratch.blur)
			a.made, a.set = true, set
		}
		return &a.img
	}
	panic("car: more than two sets of prompts on one picture")
}

func maskIdentity(mask []uint8, area int, set prompts) shown {
	return shown{set: set, hash: maphash.Bytes(maskSeed, mask), area: area}
}
