package pickle

import (
	"runtime"
	"strings"
	"testing"
)

// hostile are pickles of about n bytes that make as many values as possible.
func hostile(n int) map[string]string {
	full := func(s string) string { return strings.Repeat(s, n/len(s)) }
	var memo, keys strings.Builder
	for i := 0; memo.Len() < n; i++ {
		memo.Write([]byte{'r', byte(i), byte(i >> 8), byte(i >> 16), byte(i >> 24)})
	}
	for i := 0; keys.Len() < n; i++ {
		keys.Write([]byte{'J', byte(i), byte(i >> 8), byte(i >> 16), 0, 'N', 's'})
	}
	return map[string]string{
		"nothing":              "(" + full("N") + "l.",
		"empty tuples":         "(" + full(")") + "t.",
		"empty lists":          "(" + full("]") + "l.",
		"empty dicts":          "(" + full("}") + "l.",
		"small numbers":        "(" + full("K\x01") + "t.",
		"left on the stack":    full("N") + ".",
		"duplicates":           "]" + full("2") + ".",
		"tuples of tuples":     "N" + full("\x85") + ".",
		"appended":             "]" + full("Na") + ".",
		"dicts of one":         "N" + full("K\x01}K\x01Ns") + ".",
		"keys":                 "}" + keys.String() + ".",
		"memo":                 "N" + memo.String() + ".",
		"memo without numbers": full("N\x94") + ".",
		"a string recalled":    "X\x00\x10\x00\x00" + strings.Repeat("x", 4096) + "q\x00" + full("h\x00") + ".",
		"calls":                "ccollections\nOrderedDict\nq\x000" + full("h\x00)R") + ".",
		"objects":              "cm\nC\nq\x000" + full("h\x00)\x81") + ".",
		"classes":              full("cm\nC\n") + ".",
		"strings":              "(" + full("U\x00") + "l.",
		"texts":                "(" + full("V\n") + "l.",
		"copies of a tuple":    "(" + strings.Repeat("N", 1000) + "tq\x00" + full("h\x00\x85") + ".",
	}
}

// allocated returns how much f allocates, garbage included.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A pickle takes no more memory than its limits: one in proportion to its length, and
// one set by the caller.
func TestMemory(t *testing.T) {
	o := Options{Allow: func(Class) bool { return true }}
	for name, in := range hostile(1 << 16) {
		if n := allocated(func() { Load([]byte(in), o) }); n > 1<<20+200*uint64(len(in)) {
			t.Errorf("%s: %d bytes took %d", name, len(in), n)
		}
	}
	o.Memory = 2 << 20
	for name, in := range hostile(1 << 20) {
		var err error
		if n := allocated(func() { _, err = Load([]byte(in), o) }); n > 3*uint64(o.Memory) {
			t.Errorf("%s: %d bytes took %d where %d were given", name, len(in), n, o.Memory)
		}
		if name != "a string recalled" && name != "nothing" && err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}
