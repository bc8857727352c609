package score

import (
	"math"
	"slices"
)

// Flicker measures how much a mask varies from frame to frame. It does not measure
// correctness: an empty mask has no flicker. So read it together with Coverage.
type Flicker struct {
	Coverage float64 // share of the frames with a non-empty mask
	Area     float64 // mean share of the image that the mask covers

	// Stability is the overlap (J) of the masks of neighbouring frames, 1 where both
	// are empty, as the mean over all neighbours. Worst is its 5th percentile. Both are
	// NaN for a single frame.
	Stability float64
	Worst     float64

	// Jitter is the change of area between neighbours, divided by the mean of their
	// areas, averaged over pairs without an empty mask. It is the same when played
	// backwards. NaN if there are no such pairs.
	Jitter float64

	// Toggles is how often the mask appears or disappears.
	Toggles int

	// The excess over the truth, NaN without a truth. Instability is the overlap that
	// the truth's masks have and the result's lack, ExtraJitter the change of area
	// beyond the truth's. Both are averaged over neighbours; where the result is
	// steadier it counts as 0. ExtraToggles is the number of toggles beyond the
	// truth's, at least 0.
	Instability  float64
	ExtraJitter  float64
	ExtraToggles float64

	seconds float64 // from the first frame to the last; NaN if unknown
}

// PerMinute turns a number of toggles into a rate. It is NaN for a single frame or if
// the frame rate is unknown.
func (f Flicker) PerMinute(toggles float64) float64 { return toggles / f.seconds * 60 }

// worstPercentile is the percentile of Flicker.Worst.
const worstPercentile = 0.05

// Flicker returns the flicker of an object in images of this many pixels, at fps frames
// a second, 0 if unknown.
func (t *Track) Flicker(pixels int, fps float64) Flicker {
	n := len(t.Area)
	f := Flicker{seconds: math.NaN(), Instability: math.NaN(), ExtraJitter: math.NaN(), ExtraToggles: math.NaN()}
	if fps > 0 && n > 1 {
		f.seconds = float64(n-1) / fps
	}
	covered, sum := 0, 0
	for _, a := range t.Area {
		sum += a
		if a > 0 {
			covered++
		}
	}
	f.Coverage = ratio(covered, n)
	f.Area = float64(sum) / (float64(n) * float64(pixels))
	if n == 0 {
		return f
	}
	f.Stability = mean(t.Stability[1:])
	f.Worst = percentile(t.Stability[1:], worstPercentile)
	f.Jitter = mean(jitters(t.Area))
	f.Toggles = toggles(t.Area)
	if t.TruthArea == nil {
		return f
	}
	var lost, jitter []float64
	for i := 1; i < n; i++ {
		lost = append(lost, max(0, t.TruthStability[i]-t.Stability[i]))
		of := jitters(t.Area[i-1 : i+1])
		truth := jitters(t.TruthArea[i-1 : i+1])
		if of != nil && truth != nil {
			jitter = append(jitter, max(0, of[0]-truth[0]))
		}
	}
	f.Instability, f.ExtraJitter = mean(lost), mean(jitter)
	f.ExtraToggles = float64(max(0, f.Toggles-toggles(t.TruthArea)))
	return f
}

// jitters returns the changes between neighbours that both have an area.
func jitters(areas []int) (changes []float64) {
	for i := 1; i < len(areas); i++ {
		if a, b := areas[i-1], areas[i]; a > 0 && b > 0 {
			changes = append(changes, 2*math.Abs(float64(b-a))/float64(a+b))
		}
	}
	return changes
}

func toggles(areas []int) (n int) {
	for i := 1; i < len(areas); i++ {
		if (areas[i] > 0) != (areas[i-1] > 0) {
			n++
		}
	}
	return n
}

// percentile interpolates between the two nearest values. It is NaN for no values.
func percentile(values []float64, p float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	at := p * float64(len(sorted)-1)
	k := int(at)
	if k+1 == len(sorted) {
		return sorted[k]
	}
	return sorted[k] + (at-float64(k))*(sorted[k+1]-sorted[k])
}
