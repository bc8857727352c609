package hostile

import (
	"fmt"
	"strings"
)

// JSON returns texts that are hard for a JSON reader, of about this many bytes each.
func JSON(size int) map[string]string {
	half := size / 2
	texts := map[string]string{
		"matching brackets":    strings.Repeat("[", half) + strings.Repeat("]", half),
		"matching braces":      strings.Repeat(`{"a":`, size/6) + "1" + strings.Repeat("}", size/6),
		"a long string":        `"` + Fill("a", size-2) + `"`,
		"a long key":           `{"` + Fill("a", size-6) + `":1}`,
		"escapes":              `"` + Fill(`\u0041`, size-2) + `"`,
		"a long number":        Fill("1", size),
		"a long exponent":      "1e" + Fill("9", size-2),
		"many keys":            "{" + Counted(`"k%d":1,`, size-8) + `"k":1}`,
		"the same key":         "{" + Fill(`"a":1,`, size-8) + `"a":1}`,
		"spaces":               Fill(" ", size-1) + "1",
		"a string without end": `["` + Fill("a", size-2),
	}
	for _, piece := range []string{"[", "{", "]", "}", ",", ":", `"`, "1,", "null,", "[],", "{},", `"",`, `"a":`, `{"a":`, "[[", "[{", "[null,", "-", "\\", "\\\"", "true,", "1e9,", "1e999,", "0.", " ", "\n", "é", "/*", "NaN,", "Infinity,"} {
		texts[fmt.Sprintf("of %q", piece)] = Fill(piece, size)
		end := strings.TrimSuffix(Fill(piece, size-2), ",")
		texts[fmt.Sprintf("list of %q", piece)] = "[" + end + "]"
	}
	return texts
}
