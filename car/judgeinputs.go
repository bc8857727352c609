package car

import "context"

// JudgeInputs returns the judge's inputs for masks of an image: mask by mask, one
// input for each row of [Preset.Prompts], cropped and resized as [Preset.View] says.
// A mask has one byte a pixel, not 0 inside; an empty one leaves the image
// unprompted. Like the loop it is for one goroutine.
func (s *Segmenter) JudgeInputs(img *Image, masks [][]uint8) []*Image {
	encoded := s.takeEncodedImage()
	encoded.img = img
	defer encoded.Close()
	sets := promptSets(s.preset.Prompts)
	backdrops := make([]*Image, len(sets))
	for i, set := range sets {
		backdrops[i] = encoded.backdrop(set)
	}
	inputs := make([]*Image, len(masks)*len(sets))
	s.forEachParallel(context.Background(), len(inputs), func(k int, w *workerScratch) {
		mask, setIndex := masks[k/len(sets)], k%len(sets)
		inputs[k] = &Image{}
		if x0, y0, x1, y1 := bounds(mask, img.W); x0 >= x1 || y0 >= y1 {
			s.cropForJudge(img, nil, inputs[k], w)
			return
		}
		renderPrompt(img, backdrops[setIndex], mask, sets[setIndex], &w.prompted, &w.outliner)
		s.cropForJudge(&w.prompted, mask, inputs[k], w)
	})
	return inputs
}
