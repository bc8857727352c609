package shape

import (
	"slices"
	"strings"
	"testing"
)

// draw makes a mask of rows that are separated by blanks: each character is a pixel, of
// 255 for '#', 0 for '.', and tenths of 255 for digits.
func draw(s string) (mask []uint8, w, h int) {
	rows := strings.Fields(s)
	for _, r := range rows {
		if len(r) != len(rows[0]) {
			panic("rows differ in length: " + s)
		}
		for _, c := range r {
			switch c {
			case '#':
				mask = append(mask, 255)
			case '.':
				mask = append(mask, 0)
			default:
				mask = append(mask, uint8((int(c-'0')*255+5)/10))
			}
		}
	}
	return mask, len(rows[0]), len(rows)
}

func apply(t testing.TB, o Options, mask []uint8, w, h int) []uint8 {
	t.Helper()
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	mask = slices.Clone(mask)
	s.Apply(mask, w, h)
	return mask
}

func checkDrawn(t *testing.T, name string, o Options, in, want string) {
	t.Helper()
	mask, w, h := draw(in)
	wanted, _, _ := draw(want)
	got := apply(t, o, mask, w, h)
	if len(wanted) != len(got) {
		t.Fatalf("%s: the test has drawn %d pixels and wants %d", name, len(got), len(wanted))
	}
	if slices.Equal(got, wanted) {
		return
	}
	t.Errorf("%s:", name)
	for y := range h {
		t.Errorf("%3d   want %3d", got[y*w:(y+1)*w], wanted[y*w:(y+1)*w])
	}
}
