package car

import "context"

// Show returns what the judge would be given of masks of a picture: one picture
// for each row of [Preset.Prompts], mask by mask, cut and resized as
// [Preset.View] says. A mask has a byte a pixel, not 0 inside; an empty one
// leaves the picture as it is. Like the loop it is for one goroutine.
func (s *Segmenter) JudgeInputs(img *Image, masks [][]uint8) []*Image {
	encoded := s.takeEncodedImage()
	encoded.img = img
	defer encoded.Close()
	sets := promptSets(s.preset.Prompts)
	around := make([]*Image, len(sets))
	for i, set := range sets {
		around[i] = encoded.backdrop(set)
	}
	pictures := make([]*Image, len(masks)*len(sets))
	s.forEachParallel(context.Background(), len(pictures), func(k int, w *workerScratch) {
		mask, way := masks[k/len(sets)], k%len(sets)
		pictures[k] = &Image{}
		if x0, y0, x1, y1 := bounds(mask, img.W); x0 >= x1 || y0 >= y1 {
			s.cropForJudge(img, nil, pictures[k], w)
			return
		}
		renderPrompt(img, around[way], mask, sets[way], &w.prompted, &w.outliner)
		s.cropForJudge(&w.prompted, mask, pictures[k], w)
	})
	return pictures
}
