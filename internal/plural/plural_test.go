package plural

import "testing"

func TestOf(t *testing.T) {
	for n, want := range map[int]string{0: "0 frames", 1: "1 frame", 2: "2 frames"} {
		if got := Of(n, "frame"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := Irregular(1, "query", "queries") + ", " + Irregular(3, "query", "queries"); got != "1 query, 3 queries" {
		t.Error(got)
	}
}
