package car

// Forget drops values of an encoded image that later stages would reuse: the maps of
// known directions, or the judge's vectors. Tests measure with it what reuse saves.
func (e *EncodedImage) Forget(maps, vectors bool) {
	if maps {
		e.cams.reset()
	}
	if vectors {
		clear(e.vectors)
	}
}
