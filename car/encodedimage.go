package car

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
)

// An EncodedImage holds everything about one image that does not depend on a text,
// computed once. It refers to the image, which must not change until Close.
type EncodedImage struct {
	segmenter  *Segmenter
	img        *Image
	features   Features
	rows, cols int
	affinity   affinity
	heats      [][]float32 // of proposals, W×H each
	spareHeats [][]float32 // memory for further proposals

	cams      camSpan     // maps of the directions so far
	backdrops []*backdrop // one for each set of prompts that change the outside of a mask
	vectors   map[promptKey][]float32
	presence  map[int]float32 // of queries, where it was computed
}

// backdrop is the image with the prompts applied that change the outside of a mask.
type backdrop struct {
	valid bool // for the current image
	set   prompts
	img   Image
}

// promptKey identifies a prompted image: equal masks with equal prompts are encoded
// once. The zero value is the unprompted image.
type promptKey struct {
	set  prompts
	hash uint64
	area int
}

var maskSeed = maphash.MakeSeed()

// EncodeImage runs the proposer's trunk over an image.
func (s *Segmenter) EncodeImage(ctx context.Context, img *Image) (*EncodedImage, error) {
	encodedImages, err := s.EncodeImages(ctx, []*Image{img})
	if err != nil {
		return nil, err
	}
	return encodedImages[0], nil
}

// EncodeImages is EncodeImage for several images, in one batch if they have the same
// size and the proposer is a [BatchProposer]. It returns all of them or an error.
func (s *Segmenter) EncodeImages(ctx context.Context, images []*Image) ([]*EncodedImage, error) {
	l := s.takeEncodeScratch()
	defer s.returnEncodeScratch(l)
	for len(l.padded) < len(images) {
		l.padded = append(l.padded, &Image{})
	}
	padded := l.padded[:len(images)]
	for i, img := range images {
		if img.W <= 0 || img.H <= 0 || len(img.Pix) < 3*img.W*img.H {
			return nil, fmt.Errorf("encoding an image of %dx%d: it has %d bytes", img.W, img.H, len(img.Pix))
		}
		// Whole patches: the sides grow by less than one (docs/algorithm.md 3.1).
		p := s.proposer.PatchSize()
		l.resizer.resize(img, (img.W+p-1)/p*p, (img.H+p-1)/p*p, padded[i], s.threads())
	}
	all, err := s.extractFeatures(ctx, padded)
	if err != nil {
		return nil, fmt.Errorf("encoding an image of %dx%d: %w", images[0].W, images[0].H, err)
	}
	encodedImages := make([]*EncodedImage, len(images))
	for i, features := range all {
		encoded := s.takeEncodedImage()
		encoded.img, encoded.features = images[i], features
		encoded.rows, encoded.cols = features.Grid()
		encodedImages[i] = encoded
		if err := encoded.affinity.build(ctx, features.Attention(), encoded.rows*encoded.cols, s.threads()); err != nil {
			for _, made := range encodedImages[:i+1] {
				made.Close()
			}
			for _, other := range all[i+1:] {
				other.Close()
			}
			return nil, err
		}
	}
	return encodedImages, nil
}

// encodeScratch is memory that one call of EncodeImages needs. Several may run at
// the same time: one in the loop, others ahead of it.
type encodeScratch struct {
	resizer resizer
	padded  []*Image // in whole patches
}

func (s *Segmenter) takeEncodeScratch() *encodeScratch {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.encodeScratch); n > 0 {
		l := s.encodeScratch[n-1]
		s.encodeScratch = s.encodeScratch[:n-1]
		return l
	}
	return new(encodeScratch)
}

func (s *Segmenter) returnEncodeScratch(l *encodeScratch) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.encodeScratch = append(s.encodeScratch, l)
}

// extractFeatures runs the trunk, over all images in one batch if that is possible.
func (s *Segmenter) extractFeatures(ctx context.Context, images []*Image) ([]Features, error) {
	batcher, canBatch := s.proposer.(BatchProposer)
	for _, img := range images {
		canBatch = canBatch && img.W == images[0].W && img.H == images[0].H
	}
	if canBatch {
		return batcher.EncodeBatch(ctx, images)
	}
	var all []Features
	for _, img := range images {
		features, err := s.proposer.Encode(ctx, img)
		if err != nil {
			for _, made := range all {
				made.Close()
			}
			return nil, err
		}
		all = append(all, features)
	}
	return all, nil
}

// takeEncodedImage returns an empty encoded image, with the memory of a closed one if
// there is one.
func (s *Segmenter) takeEncodedImage() *EncodedImage {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.spareImages); n > 0 {
		encoded := s.spareImages[n-1]
		s.spareImages = s.spareImages[:n-1]
		return encoded
	}
	return &EncodedImage{segmenter: s, vectors: make(map[promptKey][]float32), presence: make(map[int]float32)}
}

// Size returns the width and height of the image.
func (e *EncodedImage) Size() (w, h int) { return e.img.W, e.img.H }

// Close gives the memory of the encoded image and of its proposals back to the
// segmenter. A second Close does nothing.
func (e *EncodedImage) Close() {
	if e.img == nil {
		return
	}
	e.release()
	e.img = nil
	e.spareHeats, e.heats = append(e.spareHeats, e.heats...), e.heats[:0]
	clear(e.vectors)
	clear(e.presence)
	for i := range e.backdrops {
		e.backdrops[i].valid = false
	}
	e.cams.reset()
	s := e.segmenter
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spareImages = append(s.spareImages, e)
}

// release closes the features once nothing more will be proposed.
func (e *EncodedImage) release() {
	if e.features != nil {
		e.features.Close()
		e.features = nil
	}
}

// heat returns memory for a proposal.
func (e *EncodedImage) heat() []float32 {
	n := e.img.W * e.img.H
	var heat []float32
	if last := len(e.spareHeats) - 1; last >= 0 {
		heat, e.spareHeats = e.spareHeats[last], e.spareHeats[:last]
	}
	heat = resized(heat, n)
	e.heats = append(e.heats, heat)
	return heat
}

// retain frees the memory of all proposals except those given: a stage of many texts
// has far more of it than the proposals that stay.
func (e *EncodedImage) retain(proposals ...[]Proposal) {
	e.heats = slices.DeleteFunc(e.heats, func(heat []float32) bool {
		for _, list := range proposals {
			for i := range list {
				if &list[i].Heat[0] == &heat[0] {
					return false
				}
			}
		}
		e.spareHeats = append(e.spareHeats, heat)
		return true
	})
}

// backdrop returns the image with those prompts of the set applied that change the
// outside of a mask.
func (e *EncodedImage) backdrop(set prompts) *Image {
	set &= promptSet([]Prompt{Blur, Gray, Black})
	at := slices.IndexFunc(e.backdrops, func(a *backdrop) bool { return a.valid && a.set == set })
	if at < 0 {
		if at = slices.IndexFunc(e.backdrops, func(a *backdrop) bool { return !a.valid }); at < 0 {
			at = len(e.backdrops)
			e.backdrops = append(e.backdrops, new(backdrop))
		}
		weights := grayWeights
		if e.segmenter.preset.Quirks.SwapGray {
			weights = swappedWeights
		}
		a := e.backdrops[at]
		renderBackdrop(e.img, set, weights, &a.img, &e.segmenter.scratch.blur, e.segmenter.threads())
		a.valid, a.set = true, set
	}
	return &e.backdrops[at].img
}

// cam returns the raw maps of directions. A map that is a combination of earlier
// ones is computed from them; the others are one batch for the model.
func (e *EncodedImage) cam(ctx context.Context, directions [][]float32) ([][]float32, error) {
	maps := make([][]float32, len(directions))
	var fresh []int
	var unknown [][]float32
	for i, d := range directions {
		if m, ok := e.cams.find(d); ok {
			maps[i] = m
			continue
		}
		fresh, unknown = append(fresh, i), append(unknown, d)
	}
	if len(unknown) == 0 {
		return maps, nil
	}
	computed, err := e.features.CAM(ctx, unknown)
	if err != nil {
		return nil, err
	}
	for k, i := range fresh {
		maps[i] = computed[k]
		e.cams.add(unknown[k], computed[k])
	}
	return maps, nil
}

func promptKeyOf(mask []uint8, area int, set prompts) promptKey {
	return promptKey{set: set, hash: maphash.Bytes(maskSeed, mask), area: area}
}
