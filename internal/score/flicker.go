package score

import (
	"math"
	"slices"
)

// Flicker says how restless a mask is from frame to frame. It knows nothing of
// right or wrong: an empty mask is perfectly still. So read it beside Coverage.
type Flicker struct {
	Coverage float64 // share of the frames with a mask that is not empty
	Area     float64 // share of all pixels of all frames that the mask has

	// Stability is the overlap (as J) of the masks of two neighbouring frames,
	// 1 where both are empty: the mean over all neighbours, and Worst, the 5th
	// percentile. Both are NaN for a single frame.
	Stability float64
	Worst     float64

	// Jitter is the change of area between neighbours by the mean of their
	// areas, averaged over those of which neither is empty: so it is the same
	// backwards. NaN if there are none.
	Jitter float64

	// Toggles is how often the mask appears or vanishes.
	Toggles int

	// What is more than in the truth, NaN without one. Instability is the
	// overlap that the truth's masks have and the result's have not, ExtraJitter
	// the change of area beyond the truth's; both averaged over neighbours, where
	// the result is the steadier one counting as 0. ExtraToggles is how many
	// there are more than in the truth, and not below 0.
	Instability  float64
	ExtraJitter  float64
	ExtraToggles float64

	seconds float64 // from the first frame to the last; NaN if nobody knows
}

// PerMinute turns a number of toggles into a rate, NaN for a single frame or if
// the frame rate is unknown.
func (f Flicker) PerMinute(toggles float64) float64 { return toggles / f.seconds * 60 }

// worst is the percentile that Flicker.Worst has.
const worst = 0.05

// Flicker sums up an object in pictures of so many pixels, at fps frames a
// second; 0 if that is unknown.
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
	f.Worst = percentile(t.Stability[1:], worst)
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

// jitters are the changes between neighbours that both have an area.
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

// percentile interpolates between the two nearest values; NaN of nothing.
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
