package car

// Forget makes a scene forget what later stages would use again: the maps of
// directions taken, or the judge's vectors. Tests measure with it what knowing
// them saves.
func (sc *Scene) Forget(maps, vectors bool) {
	if maps {
		sc.known.reset()
	}
	if vectors {
		clear(sc.vectors)
	}
}
