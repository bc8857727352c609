package score

import (
	"math/bits"

	"github.com/carve-video/carve/internal/annotation"
)

// Overlap counts the pixels in both masks and in either, leaving out those in void. All
// three have one size; nil is empty.
func Overlap(a, b, void *annotation.Mask) (intersection, union int) {
	switch {
	case a == nil && b == nil:
		return 0, 0
	case b == nil:
		a, b = b, a
		fallthrough
	case a == nil:
		if void == nil {
			return 0, b.Area()
		}
		for i, w := range b.Bits {
			union += bits.OnesCount64(w &^ void.Bits[i])
		}
		return 0, union
	case void == nil:
		for i, w := range a.Bits {
			intersection += bits.OnesCount64(w & b.Bits[i])
			union += bits.OnesCount64(w | b.Bits[i])
		}
	default:
		for i, w := range a.Bits {
			judged := ^void.Bits[i]
			intersection += bits.OnesCount64(w & b.Bits[i] & judged)
			union += bits.OnesCount64((w | b.Bits[i]) & judged)
		}
	}
	return intersection, union
}

// Jaccard is J, the intersection of two masks over their union, without the pixels in
// void. It is 1 if both are empty.
func Jaccard(a, b, void *annotation.Mask) float64 {
	return jaccard(Overlap(a, b, void))
}

func jaccard(intersection, union int) float64 {
	if union == 0 {
		return 1
	}
	return float64(intersection) / float64(union)
}
