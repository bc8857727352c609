package score

import "math"

// A Stat sums up one measure of one object over the frames.
type Stat struct {
	Mean   float64 `json:"mean"`
	Recall float64 `json:"recall"` // share of the frames in which the measure is above 0.5
	Decay  float64 `json:"decay"`  // mean of the first quarter of the frames minus that of the last
}

// Summarise returns the statistics of a list of values, all NaN if it is empty. As in
// DAVIS, quarters share their end frames, whose positions are rounded. (The original
// keeps the positions in 8 bits, so that they wrap around from 257 frames on. Here they
// do not.)
func Summarise(values []float64) Stat {
	n := len(values)
	if n == 0 {
		return Stat{math.NaN(), math.NaN(), math.NaN()}
	}
	above := 0
	for _, v := range values {
		if v > 0.5 {
			above++
		}
	}
	quarter := func(q int) []float64 {
		end := func(k int) int {
			// 1 to n in four steps. 1e-10 lifts halves, which rounding to even or an
			// error in the last digit would round down.
			return int(math.RoundToEven(1+float64(k)*float64(n-1)/4+1e-10)) - 1
		}
		return values[end(q) : end(q+1)+1]
	}
	return Stat{Mean: mean(values), Recall: ratio(above, n), Decay: mean(quarter(0)) - mean(quarter(3))}
}

// Regions has J and F of one object.
type Regions struct{ J, F Stat }

// JF returns the mean of both means.
func (r Regions) JF() float64 { return (r.J.Mean + r.F.Mean) / 2 }

// Regions sums up J and F over the frames that count. dropEnds leaves out the first
// frame, which is given in semi-supervised segmentation, and the last.
func (t *Track) Regions(dropEnds bool) Regions {
	var j, f []float64
	for i := range t.Union {
		if t.Ignored[i] || dropEnds && (i == 0 || i == len(t.Union)-1) {
			continue
		}
		j, f = append(j, t.J(i)), append(f, t.F[i])
	}
	return Regions{Summarise(j), Summarise(f)}
}

// MeanRegions returns the mean over objects, separately for each figure.
func MeanRegions(all []Regions) Regions {
	over := func(figure func(Regions) float64) float64 {
		var values []float64
		for _, r := range all {
			values = append(values, figure(r))
		}
		return Mean(values)
	}
	return Regions{
		J: Stat{over(func(r Regions) float64 { return r.J.Mean }), over(func(r Regions) float64 { return r.J.Recall }), over(func(r Regions) float64 { return r.J.Decay })},
		F: Stat{over(func(r Regions) float64 { return r.F.Mean }), over(func(r Regions) float64 { return r.F.Recall }), over(func(r Regions) float64 { return r.F.Decay })},
	}
}
