// Package score says how good masks are: held against the truth, and, where
// nobody knows the truth, held against each other from frame to frame.
//
// [Match] finds out which object of a result is which object of the truth, and
// refuses to compare what cannot be compared. [Follow] then goes once over all
// frames and keeps a few numbers for each object and frame, its [Track]; all
// measures of a video are made of these:
//
//   - [Track.Regions]: J, the overlap, and F, the agreement of outlines, as the
//     DAVIS benchmark has them.
//   - [Track.Presence]: whether a thing is found when it is there and only then,
//     and how soon when it comes back.
//   - [Track.Flicker]: how restless a mask is; needs no truth.
//   - [Refer]: overall and mean IoU, and precision, as for referring expressions.
//
// [Confuse] makes the confusion matrix of semantic segmentation, and [Confusion]
// the mean IoUs of it.
//
// # What is not there
//
// Two empty masks agree: J and F are 1. A mean over nothing is NaN: the recall of
// presence of a thing that never is there, the jitter of a thing that is never
// seen twice in a row. Sums over objects leave NaN out.
//
// Void pixels, which nobody judges, belong to no mask on either side. Where a
// truth says that neither finding nor missing an object should count in a frame,
// this frame is left out of J, F, presence and IoU of this object.
//
// All figures are the same for any number of goroutines: each frame's go to a
// place of their own, and what is summed is summed in order.
package score

import (
	"math"
	"slices"
)

// mean is NaN of nothing.
func mean(values []float64) float64 {
	sum := 0.
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// ratio is NaN of nothing.
func ratio(part, whole int) float64 { return float64(part) / float64(whole) }

// Mean is the mean of the values that are numbers, NaN if none is.
func Mean(values []float64) float64 {
	return mean(slices.DeleteFunc(slices.Clone(values), math.IsNaN))
}
