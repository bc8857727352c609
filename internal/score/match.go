package score

import (
	"fmt"
	"strings"

	"github.com/carve-video/carve/internal/annotation"
	"github.com/carve-video/carve/internal/plural"
)

// A Pair is one object in the truth and in the result.
type Pair struct {
	annotation.Object     // named as in the truth, if it is there
	Truth             int // index among the truth's objects, -1 if not there
	Result            int // the same in the result
}

// Match pairs the objects of a truth and a result: by name if both have names, else by
// number. The truth's objects come first, in their order, then those that only the
// result has. If truth is nil, all pairs have the result only.
//
// Match refuses sequences whose frames differ in size, count or numbers. It also
// refuses two that have objects but none in common: that is a difference in naming, not
// a bad result.
func Match(truth, result *annotation.Sequence) ([]Pair, error) {
	var pairs []Pair
	if truth == nil {
		for r, o := range result.Objects {
			pairs = append(pairs, Pair{o, -1, r})
		}
		return pairs, nil
	}
	if err := compatible(truth, result); err != nil {
		return nil, err
	}
	byName := truth.Named() && result.Named()
	sameObject := func(a, b annotation.Object) bool {
		if byName {
			return a.Name == b.Name
		}
		return a.ID != 0 && a.ID == b.ID
	}
	taken := make([]bool, len(result.Objects))
	common := false
	for t, o := range truth.Objects {
		p := Pair{o, t, -1}
		for r, other := range result.Objects {
			if sameObject(o, other) {
				p.Result, taken[r], common = r, true, true
				break
			}
		}
		pairs = append(pairs, p)
	}
	for r, o := range result.Objects {
		if !taken[r] {
			pairs = append(pairs, Pair{o, -1, r})
		}
	}
	if !common && len(truth.Objects) > 0 && len(result.Objects) > 0 {
		return nil, &NothingInCommonError{Truth: objectNames(truth), Result: objectNames(result), ByName: byName}
	}
	return pairs, nil
}

// A NothingInCommonError says that no object of the result is in the truth.
type NothingInCommonError struct {
	Truth, Result []string // the objects of each side
	ByName        bool     // names were compared, not numbers
}

func (e *NothingInCommonError) Error() string {
	by := "number"
	if e.ByName {
		by = "name"
	}
	return fmt.Sprintf("truth and result have no object in common by %s: the truth has %s, the result %s", by, abbreviate(e.Truth), abbreviate(e.Result))
}

func abbreviate(names []string) string {
	if len(names) > 8 {
		return strings.Join(names[:8], ", ") + ", …"
	}
	return strings.Join(names, ", ")
}

func objectNames(s *annotation.Sequence) []string {
	var names []string
	for _, o := range s.Objects {
		names = append(names, o.String())
	}
	return names
}

// compatible returns why two sequences cannot be compared.
func compatible(truth, result *annotation.Sequence) error {
	if truth.W != result.W || truth.H != result.H {
		return fmt.Errorf("frames of %s are %dx%d, and of %s %dx%d", truth.Path, truth.W, truth.H, result.Path, result.W, result.H)
	}
	if truth.Numbered && result.Numbered && truth.First != result.First {
		lacks, has := result, truth
		if result.First < truth.First {
			lacks, has = truth, result
		}
		return fmt.Errorf("frame %s is missing in %s, and %s has it", has.FrameName(0), lacks.Path, has.Path)
	}
	if n, m := truth.Len(), result.Len(); n != m {
		lacks, has := result, truth
		if n < m {
			lacks, has = truth, result
		}
		return fmt.Errorf("frame %s is missing in %s: it has %s, and %s has %d", has.FrameName(lacks.Len()), lacks.Path, plural.Of(lacks.Len(), "frame"), has.Path, has.Len())
	}
	return nil
}
