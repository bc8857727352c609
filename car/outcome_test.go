package car

import (
	"slices"
	"testing"
)

// TestExclude: an excluded query has no proposals in any pass; the others stay in
// their order.
func TestExclude(t *testing.T) {
	list := func(queries ...int) (p []Proposal) {
		for _, q := range queries {
			p = append(p, Proposal{Query: q})
		}
		return p
	}
	out := &Outcome{kept: [][]Proposal{list(0, 2, 5), list(2), list(5, 0)}}
	left := func() (queries []int) {
		for p := range out.Proposals() {
			queries = append(queries, p.Query)
		}
		return queries
	}
	all := left()
	if out.Exclude(nil); !slices.Equal(left(), all) {
		t.Errorf("nothing excluded: %v, not %v", left(), all)
	}
	out.Exclude([]int{2, 7})
	if want := slices.DeleteFunc(slices.Clone(all), func(q int) bool { return q == 2 }); !slices.Equal(left(), want) || len(want) != len(all)-2 {
		t.Errorf("2 and 7 excluded: %v, want %v", left(), want)
	}
}
