package car

// Forget makes an encoded image forget what later stages would use again: the maps of
// directions taken, or the judge's vectors. Tests measure with it what knowing
// them saves.
func (sc *EncodedImage) Forget(maps, vectors bool) {
	if maps {
		sc.cams.reset()
	}
	if vectors {
		clear(sc.vectors)
	}
}
