package ui

import "testing"

func TestSizeRoundedUp(t *testing.T) {
	for n, want := range map[int64]string{1: "1 B", 999: "999 B", 1000: "1 kB", 4001: "5 kB", 1e6: "1 MB", 1e6 + 1: "2 MB", 15e8: "1.5 GB"} {
		if got := SizeRoundedUp(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}
