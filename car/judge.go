package car

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/carve-video/carve/internal/parallel"
)

// judgeBatch is the largest number of prompted images that are encoded in one call:
// a larger batch takes more memory and is not faster.
const judgeBatch = 8

// A Judgement is the judge's result for one query in one image.
type Judgement struct {
	// Score is the probability of the query's own text for its proposal, among the
	// texts of the stage, 0..1: S of docs/algorithm.md 4.3, with its second softmax. It
	// compares queries with each other; for a single text it is 1.
	Score float32

	// Presence is the probability that the proposal shows the query and none of
	// the preset's contrast and background words, 0..1. It depends on the image and
	// the query and on no other query. It is therefore comparable between frames and
	// between sets of queries, and a single text can be absent. It is 0 where it was
	// not computed ([Preset.Presence] is 0).
	Presence float32
}

// score judges the proposals of a stage: g of the paper (docs/algorithm.md section 4).
func (s *Segmenter) score(ctx context.Context, encoded *EncodedImage, bank *Bank, p *pass, proposals []Proposal, t *Trace) error {
	// The score of a single text is 1, the softmax of one entry (docs/algorithm.md section 2).
	// Its presence is computed once for an image: if the set shrank to one text, it
	// is known from an earlier stage.
	if len(proposals) == 1 {
		one := &proposals[0]
		if one.reused {
			return nil
		}
		one.Score = 1
		known, ok := encoded.presence[one.Query]
		one.Presence = known
		if ok || bank.contrast == nil || s.neverDropped(bank, one.Query) {
			return nil
		}
	}
	vectors, err := s.encodePrompted(ctx, encoded, p, proposals, t)
	if err != nil {
		return fmt.Errorf("judging masks: %w", err)
	}
	tau := float64(s.judge.LogitScale())
	sum, share, mean := make([]float64, len(proposals)), make([]float64, len(proposals)), make([]float64, len(proposals))
	for i, variants := range vectors {
		if proposals[i].reused {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		clear(sum)
		var each [][]float64
		for _, texts := range bank.judgeTexts {
			clear(mean)
			for _, v := range variants {
				for j := range proposals {
					share[j] = tau * float64(dot(v, texts[proposals[j].Query]))
				}
				softmax(share)
				for j, x := range share {
					mean[j] += x / float64(len(variants))
				}
			}
			for j, x := range mean {
				sum[j] += x
			}
			if t != nil {
				each = append(each, slices.Clone(mean))
			}
		}
		// With templates, the reference takes a second softmax over the sum of
		// the first ones (docs/algorithm.md 4.3).
		if len(s.preset.JudgeTemplates) > 0 {
			softmax(sum)
		}
		q := proposals[i].Query
		proposals[i].Score = float32(sum[i])
		if bank.contrast != nil {
			presence := 0.0
			for _, v := range variants {
				presence += bank.contrast.presence(q, v, tau) / float64(len(variants))
			}
			proposals[i].Presence = float32(presence)
			encoded.presence[q] = float32(presence)
		}
		if sum[i] != sum[i] || proposals[i].Presence != proposals[i].Presence {
			return fmt.Errorf("judging masks: the score of %q is not a number", bank.queries[q].Label)
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

// encodePrompted returns the judge's vectors of every proposal, one for each prompt
// set. Each different image is encoded once: not once per template and not again in
// a later stage. All proposals with an empty mask share the vector of the unprompted
// image (docs/algorithm.md section 15, items 1, 6 and 10).
func (s *Segmenter) encodePrompted(ctx context.Context, encoded *EncodedImage, p *pass, proposals []Proposal, t *Trace) ([][][]float32, error) {
	n := encoded.img.W * encoded.img.H
	setCount := len(p.prompts)
	ids := make([]promptKey, len(proposals)*setCount) // proposal by proposal
	var fresh []int                                   // indices of ids whose image is not encoded yet
	seen := make(map[promptKey]bool)
	masks := make([][]uint8, len(proposals)) // of the proposals that are encoded
	used := 0
	for i := range proposals {
		if proposals[i].reused {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if used == len(s.scratch.masks) {
			s.scratch.masks = append(s.scratch.masks, nil)
		}
		mask := resized(s.scratch.masks[used], n)
		s.scratch.masks[used] = mask
		area := threshold(proposals[i].Heat, s.preset.Eta, mask)
		// The reference leaves the image unprompted when the heat sums to less than
		// a pixel. It crashes on an empty mask, which is treated alike here.
		prompted := proposals[i].sum > 1 && area > 0
		needed := false
		for k, set := range p.prompts {
			id := promptKey{}
			if prompted {
				id = promptKeyOf(mask, area, set)
			}
			ids[i*setCount+k] = id
			if encoded.vectors[id] == nil && !seen[id] {
				seen[id], needed = true, true
				fresh = append(fresh, i*setCount+k)
			}
		}
		if prompted && needed {
			masks[i] = mask
			used++
		}
		if t != nil {
			t.Areas = append(t.Areas, area)
			t.Prompted = append(t.Prompted, prompted)
		}
	}

	inputs, err := s.promptedInputs(ctx, encoded, p, fresh, masks, t)
	if err != nil {
		return nil, err
	}
	if err := s.encodeInputs(ctx, encoded, inputs, func(k int) promptKey { return ids[fresh[k]] }); err != nil {
		return nil, err
	}
	vectors := make([][][]float32, len(proposals))
	for i, id := range ids {
		if !proposals[i/setCount].reused {
			vectors[i/setCount] = append(vectors[i/setCount], encoded.vectors[id])
		}
	}
	if t != nil {
		for _, v := range vectors {
			if v == nil { // reused, not judged
				v = [][]float32{nil}
			}
			t.Vectors = append(t.Vectors, v[0])
		}
	}
	return vectors, nil
}

// promptedInputs renders the judge's inputs, one for each element of fresh: the
// index of a proposal times the number of prompt sets, plus the index of the set.
// masks are those of the proposals; where one is nil, the image stays unprompted.
func (s *Segmenter) promptedInputs(ctx context.Context, encoded *EncodedImage, p *pass, fresh []int, masks [][]uint8, t *Trace) ([]*Image, error) {
	setCount := len(p.prompts)
	for len(s.scratch.inputs) < len(fresh) {
		s.scratch.inputs = append(s.scratch.inputs, &Image{})
	}
	inputs := s.scratch.inputs[:len(fresh)]
	backdrops := make([]*Image, setCount)
	for k, set := range p.prompts {
		if slices.ContainsFunc(fresh, func(f int) bool { return f%setCount == k && masks[f/setCount] != nil }) {
			backdrops[k] = encoded.backdrop(set)
		}
	}
	return inputs, s.forEachParallel(ctx, len(fresh), func(k int, w *workerScratch) {
		i, setIndex := fresh[k]/setCount, fresh[k]%setCount
		prompted := encoded.img
		if masks[i] != nil {
			renderPrompt(encoded.img, backdrops[setIndex], masks[i], p.prompts[setIndex], &w.prompted, &w.outliner)
			prompted = &w.prompted
		}
		s.cropForJudge(prompted, masks[i], inputs[k], w)
		if t != nil && setIndex == 0 {
			t.Inputs[i] = JudgeInput{cloneImage(prompted), cloneImage(inputs[k])}
		}
	})
}

// encodeInputs encodes the judge's inputs, in batches of one size, and stores the
// vectors in the encoded image.
func (s *Segmenter) encodeInputs(ctx context.Context, encoded *EncodedImage, inputs []*Image, id func(k int) promptKey) error {
	order := make([]int, len(inputs))
	for k := range order {
		order[k] = k
	}
	slices.SortStableFunc(order, func(a, b int) int {
		return cmp.Or(cmp.Compare(inputs[a].W, inputs[b].W), cmp.Compare(inputs[a].H, inputs[b].H))
	})
	for len(order) > 0 {
		first := inputs[order[0]]
		var batch []*Image
		for _, k := range order[:min(judgeBatch, len(order))] {
			if inputs[k].W == first.W && inputs[k].H == first.H {
				batch = append(batch, inputs[k])
			}
		}
		vectors, err := s.judge.EncodeImages(ctx, batch)
		if err != nil {
			return err
		}
		if len(vectors) != len(batch) {
			return fmt.Errorf("the judge returned %d vectors for %d images", len(vectors), len(batch))
		}
		for i, v := range vectors {
			encoded.vectors[id(order[i])] = v
		}
		order = order[len(batch):]
	}
	return nil
}

// threshold sets mask to 1 where heat is above eta and to 0 elsewhere, and returns
// the number of ones.
func threshold(heat []float32, eta float32, mask []uint8) (area int) {
	mask = mask[:len(heat)]
	for i, v := range heat {
		var m uint8
		if v > eta {
			m = 1
		}
		mask[i] = m
		area += int(m)
	}
	return area
}

// workerScratch is the memory that one goroutine needs to make heat maps and
// prompted images.
type workerScratch struct {
	prompted, cropped, resized Image
	resizer                    resizer
	outliner                   outliner
	bilinear                   bilinearScratch
}

// forEachParallel calls work for n items on the segmenter's threads, until the
// context ends.
func (s *Segmenter) forEachParallel(ctx context.Context, n int, work func(k int, w *workerScratch)) error {
	threads := s.threads()
	for len(s.scratch.workers) < min(threads, n) {
		s.scratch.workers = append(s.scratch.workers, &workerScratch{})
	}
	parallel.Do(threads, n, func(worker, from, to int) {
		for k := from; k < to && ctx.Err() == nil; k++ {
			work(k, s.scratch.workers[worker])
		}
	})
	return ctx.Err()
}

func cloneImage(img *Image) *Image {
	return &Image{Pix: append([]uint8(nil), img.Pix[:3*img.W*img.H]...), W: img.W, H: img.H}
}
