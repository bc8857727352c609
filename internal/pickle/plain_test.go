package pickle

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// annotation is one value in protocols 0, 2 and 4:
//
//	[{"split": "val", "n": 3, "s": ["a", ("b", None)], "x": 0.5, "t": True}]
var annotation = []string{
	"(lp0\n(dp1\nVsplit\np2\nVval\np3\nsVn\np4\nI3\nsVs\np5\n(lp6\nVa\np7\na(Vb\np8\nNtp9\nasVx\np10\nF0.5\nsVt\np11\nI01\nsa.",
	"\x80\x02]q\x00}q\x01(X\x05\x00\x00\x00splitq\x02X\x03\x00\x00\x00valq\x03X\x01\x00\x00\x00nq\x04K\x03X\x01\x00\x00\x00sq\x05]q\x06(X\x01\x00\x00\x00aq\x07X\x01\x00\x00\x00bq\x08N\x86q\teX\x01\x00\x00\x00xq\nG?\xe0\x00\x00\x00\x00\x00\x00X\x01\x00\x00\x00tq\x0b\x88ua.",
	"\x80\x04\x956\x00\x00\x00\x00\x00\x00\x00]\x94}\x94(\x8c\x05split\x94\x8c\x03val\x94\x8c\x01n\x94K\x03\x8c\x01s\x94]\x94(\x8c\x01a\x94\x8c\x01b\x94N\x86\x94e\x8c\x01x\x94G?\xe0\x00\x00\x00\x00\x00\x00\x8c\x01t\x94\x88ua.",
}

func TestPlain(t *testing.T) {
	want := any([]any{map[any]any{"split": "val", "n": int64(3), "s": []any{"a", [1][]any{{"b", nil}}}, "x": 0.5, "t": true}})
	for i, s := range annotation {
		v, err := Plain([]byte(s))
		if err != nil {
			t.Errorf("%d: %v", i, err)
		} else if diff := cmp.Diff(want, plain(v)); diff != "" {
			t.Errorf("%d: %s", i, diff)
		}
	}
}

// Only values are accepted: not even the classes that every other pickle may name.
func TestPlainRefuses(t *testing.T) {
	for name, s := range map[string]string{
		"a class":          "cposix\nsystem\n.",
		"by the stack":     "\x80\x04\x8c\x05posix\x8c\x06system\x93.",
		"a call":           "cposix\nsystem\n(Vls\ntR.",
		"an ordered dict":  "ccollections\nOrderedDict\n)R.",
		"bytes of 2":       "c_codecs\nencode\n(Vxy\nVlatin1\ntR.",
		"a class not used": "cposix\nsystem\n0N.",
	} {
		var class *ClassError
		if v, err := Plain([]byte(s)); !errors.As(err, &class) {
			t.Errorf("%s: %v, %v", name, v, err)
		}
	}
	for name, s := range map[string]string{
		"a state":        "}}b.",
		"a call of text": "Vposix\n)R.",
		"an object":      "Vposix\n)\x81.",
		"outside":        "NQ.",
		"outside, text":  "Pname\n.",
		"an instance":    "(iposix\nsystem\n.",
		"an extension":   "\x82\x01.",
	} {
		if v, err := Plain([]byte(s)); err == nil {
			t.Errorf("%s gave %v", name, v)
		}
	}
	if _, err := Plain([]byte(strings.Repeat("]", 3000) + strings.Repeat("a", 2999) + ".")); err == nil {
		t.Error("3000 lists in one another are taken")
	}
}

// FuzzPlain: no input makes the reader panic or take much more memory than the input,
// and only plain values are returned.
func FuzzPlain(f *testing.F) {
	for _, s := range append(annotation, samples...) {
		f.Add([]byte(s))
	}
	f.Add([]byte("cposix\nsystem\n(Vls\ntR."))
	f.Add([]byte("]q\x00h\x00a."))
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		v, _ := Plain(b)
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20+250*uint64(len(b)) {
			t.Fatalf("%d bytes of input took %d bytes of memory", len(b), grown)
		}
		onlyPlain(t, v)
	})
}

// onlyPlain checks the values in v, up to a limit, since shared values occur
// repeatedly.
func onlyPlain(t *testing.T, v any) {
	todo := []any{v}
	for n := 0; n < len(todo) && n < 100_000; n++ {
		switch v := todo[n].(type) {
		case nil, bool, int64, float64, string, []byte:
		case Tuple:
			todo = append(todo, v...)
		case *List:
			todo = append(todo, v.Items...)
		case *Dict:
			todo = append(append(todo, v.Keys...), v.Values...)
		default:
			t.Fatalf("a %T came out", v)
		}
	}
}
