package evaluate

import (
	"slices"
	"testing"
)

// TestNearest: every pixel takes the one below its centre.
func TestNearest(t *testing.T) {
	at := nearest(2, 2, 4, 2)
	var got []int
	for i := range 8 {
		got = append(got, at(i))
	}
	if !slices.Equal(got, []int{0, 0, 1, 1, 2, 2, 3, 3}) {
		t.Errorf("%v", got)
	}
	at = nearest(4, 2, 2, 1)
	if at(0) != 5 || at(1) != 7 {
		t.Errorf("%d, %d", at(0), at(1))
	}
}
