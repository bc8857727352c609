package printable

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"red frisbee", "red frisbee"},
		{"Käfer, собака, 犬　猫, कुत्ता", "Käfer, собака, 犬　猫, कुत्ता"},
		{"👩‍🚀 ❤️ e\u0301 a\u00a0b", "👩‍🚀 ❤️ e\u0301 a\u00a0b"},
		{"می\u200cخواهم", "می\u200cخواهم"},
		{`C:\new`, `C:\new`},
		{"\x1b]0;title\a\x1b[2J", `\u001b]0;title\u0007\u001b[2J`},
		{"a\r\nb\tc", `a\r\nb\tc`},
		{"nul\x00del\x7f", `nul\u0000del\u007f`},
		{"\u009b2J", `\u009b2J`},
		{"\x9b2J", `\x9b2J`},
		{"cut \xe2\x82", `cut \xe2\x82`},
		{"exe\u202egnp.mp4", `exe\u202egnp.mp4`},
		{"\u2066a\u2069\u200f\ufeff\u2028\u2029\u00ad", `\u2066a\u2069\u200f\ufeff\u2028\u2029\u00ad`},
		{"tag \U000e0041", `tag \udb40\udc41`},
		{"really \ufffd", "really \ufffd"},
	} {
		if got := Text(c.in); got != c.want {
			t.Errorf("Text(%q) = %q, want %q", c.in, got, c.want)
		}
	}
	if got, want := Lines("a\x1b\n\tb\r\n"), "a\\u001b\n\tb\\r\n"; got != want {
		t.Errorf("Lines: %q, want %q", got, want)
	}
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"dog", "\x1b[2J\r\n", "\xff\xc2\x9b", "é\u202e\U000e0041", `"a\"b"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		text, lines := Text(s), Lines(s)
		if i := strings.IndexFunc(text, breaksLine); i >= 0 || !utf8.ValidString(text) {
			t.Errorf("%q became %q", s, text)
		}
		if i := strings.IndexFunc(lines, acts); i >= 0 || strings.Count(lines, "\n") != strings.Count(s, "\n") {
			t.Errorf("by lines %q became %q", s, lines)
		}
		if Text(text) != text {
			t.Errorf("%q changes again, to %q", text, Text(text))
		}
		// Encoded JSON stays JSON with the same value.
		encoded, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var before, after string
		if err := json.Unmarshal(encoded, &before); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(Lines(string(encoded))), &after); err != nil || before != after {
			t.Errorf("%s is no longer the same JSON: %q, %v", encoded, after, err)
		}
	})
}
