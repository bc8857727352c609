package spelling

import (
	"strings"
	"testing"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "dog", 3}, {"dog", "", 3}, {"dog", "dog", 0},
		{"dgo", "dog", 1}, {"do", "dog", 1}, {"doog", "dog", 1}, {"dig", "dog", 1},
		{"kitten", "sitting", 3}, {"ca", "abc", 3}, // alignment: no letter is edited twice
		{"größe", "grösse", 2}, {"abcd", "badc", 2},
	} {
		for _, p := range [][2]string{{c.a, c.b}, {c.b, c.a}} {
			if got := Distance(p[0], p[1]); got != c.want {
				t.Errorf("Distance(%q, %q) = %d, want %d", p[0], p[1], got, c.want)
			}
		}
	}
}

func TestNearest(t *testing.T) {
	known := []string{"demo", "clip", "clip-vit-base-patch16", "clip-vit-large-patch14", "dog", "door"}
	for word, want := range map[string]string{
		"demmo": "demo", "dmeo": "demo", "Demo": "demo", "DEMOO": "demo",
		"dgo": "dog", "clip-vit-base-patch61": "clip-vit-base-patch16", "clip-vit-b16": "",
		"submarine": "", "x": "", "": "", "do": "dog", "cat": "",
		strings.Repeat("a", 1000): "",
	} {
		if got, ok := Nearest(word, known); got != want || ok != (want != "") {
			t.Errorf("Nearest(%q) = %q, %v, want %q", word, got, ok, want)
		}
	}
}
