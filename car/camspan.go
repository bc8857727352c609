package car

import "math"

// A camSpan holds directions whose maps are known. A raw CAM is linear in its
// direction. The map of a direction that is a linear combination of known ones is
// therefore the same combination of their maps, and needs no pass through the model
// (docs/algorithm.md 11.5). This is the case in every stage after the second: dropping a text
// from a softmax scales the probabilities of all others by the same factor. With Z
// the sum of the remaining probabilities, the new direction of c is
// D_c + Σ_dropped (p_j/Z)·D_j. It is also the case for the retry without background.
//
// The code does not rely on this. A direction is decomposed by least squares, and
// its map is only combined from others if the residual is negligible.
type camSpan struct {
	basis [][]float64 // orthonormal basis of the directions so far
	// combinations[i] are the coefficients of basis[i] in terms of maps.
	combinations [][]float64
	maps         [][]float32
}

const (
	// spanRemainder is the residual, relative to the direction, below which a
	// direction counts as a combination: directions are rounded to float32.
	spanRemainder = 2e-6
	// spanGrowth is how much larger than the resulting map the summed terms may be.
	// They amplify the rounding error of the maps, 1e-7, which has to stay well below
	// their tolerance, 1e-3.
	spanGrowth = 200
)

func (s *camSpan) reset() {
	s.basis, s.combinations, s.maps = s.basis[:0], s.combinations[:0], s.maps[:0]
}

// add stores the map of a direction.
func (s *camSpan) add(direction, m []float32) {
	s.maps = append(s.maps, append([]float32(nil), m...))
	rest, coefficients := s.resolve(direction)
	norm := norm64(rest)
	if norm <= spanRemainder*norm32(direction) {
		return // it lies in the span already
	}
	// The coefficients of rest = direction - Σ coefficients·basis in terms of maps.
	part := make([]float64, len(s.maps))
	part[len(s.maps)-1] = 1 / norm
	for i, c := range coefficients {
		for j, v := range s.combinations[i] {
			part[j] -= c * v / norm
		}
	}
	for i := range rest {
		rest[i] /= norm
	}
	s.basis, s.combinations = append(s.basis, rest), append(s.combinations, part)
}

// find returns the map of a direction if it is a combination of known ones.
func (s *camSpan) find(direction []float32) ([]float32, bool) {
	rest, coefficients := s.resolve(direction)
	length := norm32(direction)
	if len(s.maps) == 0 || length == 0 || norm64(rest) > spanRemainder*length {
		return nil, false
	}
	weights := make([]float64, len(s.maps))
	for i, c := range coefficients {
		for j, v := range s.combinations[i] {
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

// resolve decomposes a direction into coefficients along the basis and a residual.
// It projects twice, because one pass leaves rounding errors of nearly dependent
// directions.
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
