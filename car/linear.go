package car

import "math"

// A span holds directions whose maps are known. A raw CAM is linear in its
// direction, so the map of a direction that is a combination of known ones is
// the same combination of their maps, and needs no pass through the model
// (docs/algorithm.md 11.5). That is so for every stage after the second: dropping a text
// from a softmax scales the shares of all others alike, so with Z what is left
// of the probability, the new direction of c is D_c + Σ_dropped (p_j/Z)·D_j. It
// is so as well for the retry without background.
//
// Nothing of this is assumed here. A direction is taken apart by least squares,
// and is only combined if nothing is left of it.
type camSpan struct {
	basis [][]float64 // orthonormal, of the directions before
	// parts[i] is basis[i] as a combination of maps.
	parts [][]float64
	maps  [][]float32
}

// The remainder, relative to the direction, below which it is a combination:
// directions are rounded to float32. And how much larger than the result what
// is added up may be: with it grows the rounding of the maps, 1e-7, which is to
// stay well below the 1e-3 that maps are held to.
const (
	spanRemainder = 2e-6
	spanGrowth    = 200
)

func (s *camSpan) reset() { s.basis, s.parts, s.maps = s.basis[:0], s.parts[:0], s.maps[:0] }

// add makes a direction's map known.
func (s *camSpan) add(direction, m []float32) {
	s.maps = append(s.maps, append([]float32(nil), m...))
	rest, coefficients := s.resolve(direction)
	norm := norm64(rest)
	if norm <= spanRemainder*norm32(direction) {
		return // the basis has it already
	}
	// rest = direction - Σ coefficients·basis, in terms of maps.
	part := make([]float64, len(s.maps))
	part[len(s.maps)-1] = 1 / norm
	for i, c := range coefficients {
		for j, v := range s.parts[i] {
			part[j] -= c * v / norm
		}
	}
	for i := range rest {
		rest[i] /= norm
	}
	s.basis, s.parts = append(s.basis, rest), append(s.parts, part)
}

// find returns the map of a direction, if it follows from those known.
func (s *camSpan) find(direction []float32) ([]float32, bool) {
	rest, coefficients := s.resolve(direction)
	length := norm32(direction)
	if len(s.maps) == 0 || length == 0 || norm64(rest) > spanRemainder*length {
		return nil, false
	}
	weights := make([]float64, len(s.maps))
	for i, c := range coefficients {
		for j, v := range s.parts[i] {
			weights[j] += c * v
		}
	}
	sum := make([]float64, len(s.maps[0]))
	added := 0.0
	for j, w := range weights {
		if w == 0 {
			continue
		}
		n := 0.0
		for i, v := range s.maps[j] {
			sum[i] += w * float64(v)
			n += float64(v) * float64(v)
		}
		added += math.Abs(w) * math.Sqrt(n)
	}
	if added > spanGrowth*norm64(sum) {
		return nil, false
	}
	out := make([]float32, len(sum))
	for i, v := range sum {
		out[i] = float32(v)
	}
	return out, true
}

// resolve takes a direction apart: the coefficients along the basis, and what is
// left. Twice, because once leaves what rounding makes of nearly dependent ones.
func (s *camSpan) resolve(direction []float32) (rest, coefficients []float64) {
	rest = make([]float64, len(direction))
	for i, v := range direction {
		rest[i] = float64(v)
	}
	coefficients = make([]float64, len(s.basis))
	for range 2 {
		for k, b := range s.basis {
			c := 0.0
			for i, v := range rest {
				c += v * b[i]
			}
			for i := range rest {
				rest[i] -= c * b[i]
			}
			coefficients[k] += c
		}
	}
	return rest, coefficients
}

func norm64(v []float64) float64 {
	sum := 0.0
	for _, x := range v {
		sum += x * x
	}
	return math.Sqrt(sum)
}

func norm32(v []float32) float64 {
	sum := 0.0
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}
