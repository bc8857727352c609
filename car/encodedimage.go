package car

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
)

// A encoded image is what is known of one picture: everything that no text changes,
// computed once. It keeps the picture, which must not change until Close.
type EncodedImage struct {
	segmenter  *Segmenter
	img        *Image
	features   Features
	rows, cols int
	affinity   affinity
	heats      [][]float32 // of proposals, W×H each
	spareHeats [][]float32 // memory for more of them

	cams      camSpan     // maps of directions taken so far
	backdrops []*backdrop // per set of prompts that change what is outside a mask
	vectors   map[promptKey][]float32
	presence  map[int]float32 // of queries, where it was weighed
}

// surroundings is the picture as the prompts leave it outside a mask.
type backdrop struct {
	made bool // for the picture in hand
	set  prompts
	img  Image
}

// shown identifies a prompted image: equal masks under equal prompts are
// encoded once. The unprompted picture has the zero value.
type promptKey struct {
	set  prompts
	hash uint64
	area int
}

var maskSeed = maphash.MakeSeed()

// Look runs the proposer's trunk over a picture.
func (s *Segmenter) EncodeImage(ctx context.Context, img *Image) (*EncodedImage, error) {
	encodedImages, err := s.EncodeImages(ctx, []*Image{img})
	if err != nil {
		return nil, err
	}
	return encodedImages[0], nil
}

// LookAll is Look for several pictures: in one go if they have one size and the
// proposer can. It returns the encoded images of all of them or none.
func (s *Segmenter) EncodeImages(ctx context.Context, images []*Image) ([]*EncodedImage, error) {
	l := s.takeEncodeScratch()
	defer s.returnEncodeScratch(l)
	for len(l.padded) < len(images) {
		l.padded = append(l.padded, &Image{})
	}
	wholes := l.padded[:len(images)]
	for i, img := range images {
		if img.W <= 0 || img.H <= 0 || len(img.Pix) < 3*img.W*img.H {
			return nil, fmt.Errorf("looking at a picture of %dx%d: it has %d bytes", img.W, img.H, len(img.Pix))
		}
		// Whole patches: the sides grow by less than one (car.md 3.1).
		p := s.proposer.PatchSize()
		l.resizer.resize(img, (img.W+p-1)/p*p, (img.H+p-1)/p*p, wholes[i], s.threads())
	}
	all, err := s.extractFeatures(ctx, wholes)
	if err != nil {
		return nil, fmt.Errorf("looking at a picture of %dx%d: %w", images[0].W, images[0].H, err)
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

// looking is memory that one call of Look needs. Several may run at the same time: ahead
// of the loop, for frames that are certain to be looked at, and in it.
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

// views runs the trunk, over all pictures at once if that can be done.
func (s *Segmenter) extractFeatures(ctx context.Context, images []*Image) ([]Features, error) {
	together, can := s.proposer.(BatchProposer)
	for _, img := range images {
		can = can && img.W == images[0].W && img.H == images[0].H
	}
	if can {
		return together.EncodeBatch(ctx, images)
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

// sceneFor returns an empty encoded image, with the memory of an earlier one if there
// is one.
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

// Size returns the picture's width and height.
func (sc *EncodedImage) Size() (w, h int) { return sc.img.W, sc.img.H }

// Close gives the memory of the encoded image, and of all that was proposed in it, back
// to the segmenter. A second Close does nothing.
func (sc *EncodedImage) Close() {
	if sc.img == nil {
		return
	}
	sc.release()
	sc.img = nil
	sc.spareHeats, sc.heats = append(sc.spareHeats, sc.heats...), sc.heats[:0]
	clear(sc.vectors)
	clear(sc.presence)
	for i := range sc.backdrops {
		sc.backdrops[i].made = false
	}
	sc.cams.reset()
	s := sc.segmenter
	s.mu.Lock()
	defer s.mu.Unlock()
	s.spareImages = append(s.spareImages, sc)
}

// release gives the model's memory back once nothing more will be proposed.
func (sc *EncodedImage) release() {
	if sc.features != nil {
		sc.features.Close()
		sc.features = nil
	}
}

// heat returns memory for a proposal.
func (sc *EncodedImage) heat() []float32 {
	n := sc.img.W * sc.img.H
	var heat []float32
	if last := len(sc.spareHeats) - 1; last >= 0 {
		heat, sc.spareHeats = sc.spareHeats[last], sc.spareHeats[:last]
	}
	heat = resized(heat, n)
	sc.heats = append(sc.heats, heat)
	return heat
}

// keep takes back the memory of all proposals but those given: a stage of many
// texts is far larger than what it leaves.
func (sc *EncodedImage) retain(proposals ...[]Proposal) {
	sc.heats = slices.DeleteFunc(sc.heats, func(heat []float32) bool {
		for _, list := range proposals {
			for i := range list {
				if &list[i].Heat[0] == &heat[0] {
					return false
				}
			}
		}
		sc.spareHeats = append(sc.spareHeats, heat)
		return true
	})
}

// surroundings returns the picture under the prompts that change what lies
// outside a mask.
func (sc *EncodedImage) backdrop(set prompts) *Image {
	set &= promptSet([]Prompt{Blur, Gray, Black})
	at := slices.IndexFunc(sc.backdrops, func(a *backdrop) bool { return a.made && a.set == set })
	if at < 0 {
		if at = slices.IndexFunc(sc.backdrops, func(a *backdrop) bool { return !a.made }); at < 0 {
			at = len(sc.backdrops)
			sc.backdrops = append(sc.backdrops, new(backdrop))
		}
		weights := grayWeights
		if sc.segmenter.preset.Quirks.SwapGray {
			weights = swappedWeights
		}
		a := sc.backdrops[at]
		renderBackdrop(sc.img, set, weights, &a.img, &sc.segmenter.scratch.blur, sc.segmenter.threads())
		a.made, a.set = true, set
	}
	return &sc.backdrops[at].img
}

// cam returns the raw maps of directions. Those that follow from maps taken
// before are put together from them; the rest are one batch for the model.
func (sc *EncodedImage) cam(ctx context.Context, directions [][]float32) ([][]float32, error) {
	maps := make([][]float32, len(directions))
	var fresh []int
	var ask [][]float32
	for i, d := range directions {
		if m, ok := sc.cams.find(d); ok {
			maps[i] = m
			continue
		}
		fresh, ask = append(fresh, i), append(ask, d)
	}
	if len(ask) == 0 {
		return maps, nil
	}
	taken, err := sc.features.CAM(ctx, ask)
	if err != nil {
		return nil, err
	}
	for k, i := range fresh {
		maps[i] = taken[k]
		sc.cams.add(ask[k], taken[k])
	}
	return maps, nil
}

func promptKeyOf(mask []uint8, area int, set prompts) promptKey {
	return promptKey{set: set, hash: maphash.Bytes(maskSeed, mask), area: area}
}
