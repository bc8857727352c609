// Package score measures how good masks are: against the truth, and, without a truth,
// against each other from frame to frame.
//
// [Match] pairs the objects of a result with those of the truth, and refuses sequences
// that cannot be compared. [Follow] then reads all frames once and keeps a few numbers
// for each object and frame, its [Track]. All measures of a video are made from tracks:
//
//   - [Track.Regions]: J, the overlap, and F, the agreement of outlines, as in the DAVIS
//     benchmark.
//   - [Track.Presence]: whether an object is found when it is there and only then, and
//     how soon when it comes back.
//   - [Track.Flicker]: how much a mask varies; needs no truth.
//   - [Refer]: overall and mean IoU, and precision, as for referring expressions.
//
// [Confuse] makes the confusion matrix of semantic segmentation, and [Confusion] its
// mean IoUs.
//
// # Absent objects
//
// Two empty masks agree: J and F are 1. A mean over nothing is NaN: the recall of
// presence for an object that is never there, the jitter of an object that is never
// seen in two neighbouring frames. Means over objects leave NaN out.
//
// Void pixels belong to no mask on either side. Where the truth marks an object as
// ignored in a frame, the frame is left out of J, F, presence and IoU of the object.
//
// All figures are the same for any number of goroutines: each frame has its own place
// in the results, and sums are taken in order.
package score

import (
	"math"
	"slices"
)

// mean returns NaN for no values.
func mean(values []float64) float64 {
	sum := 0.
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// ratio returns NaN if both are 0.
func ratio(part, whole int) float64 { return float64(part) / float64(whole) }

// Mean returns the mean of the values that are not NaN, or NaN if there are none.
func Mean(values []float64) float64 {
	return mean(slices.DeleteFunc(slices.Clone(values), math.IsNaN))
}
