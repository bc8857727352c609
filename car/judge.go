package car

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"
)

// judgeBatch bounds how many prompted images are encoded in one call: the
// memory of a batch grows with it, and beyond this the speed does not.
const judgeBatch = 8

// score judges the proposals, g of the paper (car.md section 4): what share of
// its own text is each, among the texts of the rivals. rivals holds every
// proposal's query.
func (s *Segmenter) score(ctx context.Context, scene *Scene, bank *Bank, p *pass, proposals []Proposal, rivals []int, t *Trace) error {
	// A text alone is all there is: softmax of one entry (car.md section 2).
	if len(rivals) == 1 {
		for i := range proposals {
			proposals[i].Score = 1
		}
		return nil
	}
	vectors, err := s.showings(ctx, scene, p, proposals, t)
	if err != nil {
		return fmt.Errorf("judging masks: %w", err)
	}
	tau := float64(s.judge.LogitScale())
	sum, share := make([]float64, len(rivals)), make([]float64, len(rivals))
	for i, v := range vectors {
		clear(sum)
		var each [][]float64
		for _, texts := range bank.judged {
			for j, q := range rivals {
				share[j] = tau * float64(dot(v, texts[q]))
			}
			softmax(share)
			for j, x := range share {
				sum[j] += x
			}
			if t != nil {
				each = append(each, slices.Clone(share))
			}
		}
		// With templates, the reference takes a second softmax over the sum of
		// the first ones (car.md 4.3).
		if len(s.preset.JudgeTemplates) > 0 {
			softmax(sum)
		}
		for j, q := range rivals {
			if q == proposals[i].Query {
				proposals[i].Score = float32(sum[j])
			}
		}
		if t != nil {
			t.ByTemplate = append(t.ByTemplate, each)
			t.Shares = append(t.Shares, slices.Clone(sum))
		}
	}
	return nil
}

func softmax(v []float64) {
	high := math.Inf(-1)
	for _, x := range v {
		high = max(high, x)
	}
	sum := 0.0
	for i, x := range v {
		v[i] = math.Exp(x - high)
		sum += v[i]
	}
	for i := range v {
		v[i] /= sum
	}
}

// showings returns the judge's vector of every proposal. Each different
// picture is encoded once: not once per template, not again in a later stage,
// and all proposals that show nothing share the unprompted one (car.md
// section 15, items 1, 6 and 10).
func (s *Segmenter) showings(ctx context.Context, scene *Scene, p *pass, proposals []Proposal, t *Trace) ([][]float32, error) {
	n := scene.img.W * scene.img.H
	ids := make([]shown, len(proposals))
	var fresh []int // proposals whose picture is not encoded yet
	masks := s.scratch.masks[:0]
	seen := make(map[shown]bool)
	for i := range proposals {
		if len(s.scratch.masks) <= len(masks) {
			s.scratch.masks = append(s.scratch.masks, nil)
		}
		mask := grow(s.scratch.masks[len(masks)], n)
		s.scratch.masks[len(masks)] = mask
		area := 0
		for j, v := range proposals[i].Heat {
			mask[j] = 0
			if v > s.preset.Eta {
				mask[j] = 1
				area++
			}
		}
		// The reference shows the picture as it is when the heat sums to less
		// than a pixel; an empty mask, which it crashes on, is the same case.
		if proposals[i].sum > 1 && area > 0 {
			ids[i] = maskIdentity(mask, area, p.prompts)
		}
		if scene.vectors[ids[i]] == nil && !seen[ids[i]] {
			seen[ids[i]] = true
			fresh = append(fresh, i)
			masks = s.scratch.masks[:len(masks)+1]
		}
		if t != nil {
			t.Areas = append(t.Areas, area)
			t.Prompted = append(t.Prompted, ids[i] != shown{})
		}
	}

	// masks[i] is now the mask of fresh[i]; make what the judge is given.
	for len(s.scratch.inputs) < len(fresh) {
		s.scratch.inputs = append(s.scratch.inputs, &Image{})
	}
	inputs := s.scratch.inputs[:len(fresh)]
	around := scene.surroundings(p.prompts)
	s.each(len(fresh), func(k int, w *showing) {
		picture := scene.img
		if ids[fresh[k]] != (shown{}) {
			show(scene.img, around, masks[k], p.prompts, &w.prompted, &w.outliner)
			picture = &w.prompted
		}
		s.forJudge(picture, inputs[k], w)
		if t != nil {
			t.Pictures[fresh[k]] = Shown{cloneImage(picture), cloneImage(inputs[k])}
		}
	})
	for from := 0; from < len(fresh); from += judgeBatch {
		to := min(from+judgeBatch, len(fresh))
		vectors, err := s.judge.EncodeImages(ctx, inputs[from:to])
		if err != nil {
			return nil, err
		}
		for k, v := range vectors {
			scene.vectors[ids[fresh[from+k]]] = v
		}
	}
	vectors := make([][]float32, len(proposals))
	for i, id := range ids {
		vectors[i] = scene.vectors[id]
	}
	if t != nil {
		t.Vectors = vectors
	}
	return vectors, nil
}

// A showing is the memory that making one prompted image needs.
type showing struct {
	prompted, resized, half Image
	outliner                outliner
}

// each runs work over n items on the segmenter's threads.
func (s *Segmenter) each(n int, work func(k int, w *showing)) {
	workers := min(s.threads(), n)
	for len(s.scratch.showings) < workers {
		s.scratch.showings = append(s.scratch.showings, &showing{})
	}
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() {
			for k := i; k < n; k += workers {
				work(k, s.scratch.showings[i])
			}
		})
	}
	wg.Wait()
}

// forJudge brings a picture to the size at which the judge sees it.
func (s *Segmenter) forJudge(img, dst *Image, w *showing) {
	size, patch := s.judge.InputSize(), s.judge.PatchSize()
	if s.preset.View == NativeAspect {
		rw, rh := nativeSize(img.W, img.H, size, patch)
		resizeBicubic(img, rw, rh, dst, &w.half)
		return
	}
	centreCrop(img, size, dst, w)
}

// centreCrop is CLIP's preprocessing up to the bytes (car.md 4.2).
func centreCrop(img *Image, size int, dst *Image, w *showing) {
	rw, rh := size, size
	if img.W < img.H {
		rh = int(float64(size) * float64(img.H) / float64(img.W))
	} else {
		rw = int(float64(size) * float64(img.W) / float64(img.H))
	}
	resizeBicubic(img, rw, rh, &w.resized, &w.half)
	x0 := int(math.RoundToEven(float64(rw-size) / 2))
	y0 := int(math.RoundToEven(float64(rh-size) / 2))
	dst.resize(size, size)
	for y := range size {
		copy(dst.Pix[3*size*y:3*size*(y+1)], w.resized.Pix[3*((y0+y)*rw+x0):])
	}
}

// nativeSize returns the size of a picture whose short side is brought to the
// judge's input, both sides in whole patches.
func nativeSize(w, h, size, patch int) (rw, rh int) {
	k := float64(size) / float64(min(w, h))
	whole := func(v int) int {
		return max(patch, int(math.RoundToEven(math.RoundToEven(float64(v)*k)/float64(patch)))*patch)
	}
	return whole(w), whole(h)
}

func cloneImage(img *Image) *Image {
	return &Image{Pix: append([]uint8(nil), img.Pix[:3*img.W*img.H]...), W: img.W, H: img.H}
}
