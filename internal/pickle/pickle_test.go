package pickle

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// samples are one value, written by Python in every protocol:
//
//	{"a": [1, -2, 300, 70000, -70000, 2**40, -(2**40), True, None, 1.5, b"xy", "café"],
//	 "t": (1, (2,), (), (1, 2, 3, 4)), "n": {"k": {1: "one"}}}
var samples = []string{
	"(dp0\nVa\np1\n(lp2\nI1\naI-2\naI300\naI70000\naI-70000\naL1099511627776L\naL-1099511627776L\naI01\naNaF1.5\nac_codecs\nencode\np3\n(Vxy\np4\nVlatin1\np5\ntp6\nRp7\naVcaf\xe9\np8\nasVt\np9\n(I1\n(I2\ntp10\n(t(I1\nI2\nI3\nI4\ntp11\ntp12\nsVn\np13\n(dp14\nVk\np15\n(dp16\nI1\nVone\np17\nsss.",
	"}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01J\xfe\xff\xff\xffM,\x01Jp\x11\x01\x00J\x90\xee\xfe\xffL1099511627776L\nL-1099511627776L\nI01\nNG?\xf8\x00\x00\x00\x00\x00\x00c_codecs\nencode\nq\x03(X\x02\x00\x00\x00xyq\x04X\x06\x00\x00\x00latin1q\x05tq\x06Rq\x07X\x05\x00\x00\x00caf\xc3\xa9q\x08eX\x01\x00\x00\x00tq\t(K\x01(K\x02tq\n)(K\x01K\x02K\x03K\x04tq\x0btq\x0cX\x01\x00\x00\x00nq\r}q\x0eX\x01\x00\x00\x00kq\x0f}q\x10K\x01X\x03\x00\x00\x00oneq\x11ssu.",
	"\x80\x02}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01J\xfe\xff\xff\xffM,\x01Jp\x11\x01\x00J\x90\xee\xfe\xff\x8a\x06\x00\x00\x00\x00\x00\x01\x8a\x06\x00\x00\x00\x00\x00\xff\x88NG?\xf8\x00\x00\x00\x00\x00\x00c_codecs\nencode\nq\x03X\x02\x00\x00\x00xyq\x04X\x06\x00\x00\x00latin1q\x05\x86q\x06Rq\x07X\x05\x00\x00\x00caf\xc3\xa9q\x08eX\x01\x00\x00\x00tq\t(K\x01K\x02\x85q\n)(K\x01K\x02K\x03K\x04tq\x0btq\x0cX\x01\x00\x00\x00nq\r}q\x0eX\x01\x00\x00\x00kq\x0f}q\x10K\x01X\x03\x00\x00\x00oneq\x11ssu.",
	"\x80\x03}q\x00(X\x01\x00\x00\x00aq\x01]q\x02(K\x01J\xfe\xff\xff\xffM,\x01Jp\x11\x01\x00J\x90\xee\xfe\xff\x8a\x06\x00\x00\x00\x00\x00\x01\x8a\x06\x00\x00\x00\x00\x00\xff\x88NG?\xf8\x00\x00\x00\x00\x00\x00C\x02xyq\x03X\x05\x00\x00\x00caf\xc3\xa9q\x04eX\x01\x00\x00\x00tq\x05(K\x01K\x02\x85q\x06)(K\x01K\x02K\x03K\x04tq\x07tq\x08X\x01\x00\x00\x00nq\t}q\nX\x01\x00\x00\x00kq\x0b}q\x0cK\x01X\x03\x00\x00\x00oneq\rssu.",
	"\x80\x04\x95x\x00\x00\x00\x00\x00\x00\x00}\x94(\x8c\x01a\x94]\x94(K\x01J\xfe\xff\xff\xffM,\x01Jp\x11\x01\x00J\x90\xee\xfe\xff\x8a\x06\x00\x00\x00\x00\x00\x01\x8a\x06\x00\x00\x00\x00\x00\xff\x88NG?\xf8\x00\x00\x00\x00\x00\x00C\x02xy\x94\x8c\x05caf\xc3\xa9\x94e\x8c\x01t\x94(K\x01K\x02\x85\x94)(K\x01K\x02K\x03K\x04t\x94t\x94\x8c\x01n\x94}\x94\x8c\x01k\x94}\x94K\x01\x8c\x03one\x94ssu.",
}

var encode = Class{"_codecs", "encode"}

func allowEncode(c Class) bool { return c == encode }

// plain converts dicts and lists to Go's own for comparison.
func plain(v any) any {
	switch v := v.(type) {
	case *List:
		out := []any{}
		for _, x := range v.Items {
			out = append(out, plain(x))
		}
		return out
	case Tuple:
		out := [1][]any{{}} // to distinguish it from a list
		for _, x := range v {
			out[0] = append(out[0], plain(x))
		}
		return out
	case *Dict:
		out := map[any]any{}
		for i, k := range v.Keys {
			out[k] = plain(v.Values[i])
		}
		return out
	case *Object: // bytes in Python 2
		return []byte(v.Args[0].(string))
	}
	return v
}

func TestLoad(t *testing.T) {
	want := map[any]any{
		"a": []any{int64(1), int64(-2), int64(300), int64(70000), int64(-70000), int64(1) << 40, -(int64(1) << 40), true, nil, 1.5, []byte("xy"), "café"},
		"t": [1][]any{{int64(1), [1][]any{{int64(2)}}, [1][]any{{}}, [1][]any{{int64(1), int64(2), int64(3), int64(4)}}}},
		"n": map[any]any{"k": map[any]any{int64(1): "one"}},
	}
	for protocol, s := range samples {
		v, err := Load([]byte(s), Options{Allow: allowEncode})
		if err != nil {
			t.Errorf("protocol %d: %v", protocol, err)
			continue
		}
		if diff := cmp.Diff(any(want), plain(v)); diff != "" {
			t.Errorf("protocol %d: %s", protocol, diff)
		}
	}
	for name, c := range map[string]struct {
		in   string
		want any
	}{
		"ordered dict":    {"\x80\x02ccollections\nOrderedDict\nq\x00)Rq\x01(X\x01\x00\x00\x00xq\x02K\x01X\x01\x00\x00\x00yq\x03]q\x04K\x02au.", map[any]any{"x": int64(1), "y": []any{int64(2)}}},
		"with pairs":      {"ccollections\nOrderedDict\n((lVx\nI1\n\x86a(lI2\naI3\naatR.", map[any]any{"x": int64(1), int64(2): int64(3)}},
		"with a state":    {"ccollections\nOrderedDict\n)R}Vm\nNsb.", map[any]any{}},
		"later key wins":  {"}(I1\nVa\nI1\nVb\nu.", map[any]any{int64(1): "b"}},
		"shared":          {"\x80\x04\x95\x11\x00\x00\x00\x00\x00\x00\x00]\x94(\x8c\x03aaa\x94\x85\x94h\x02h\x02e.", []any{[1][]any{{"aaa"}}, [1][]any{{"aaa"}}, [1][]any{{"aaa"}}}},
		"duplicate":       {"I7\n2\x86.", [1][]any{{int64(7), int64(7)}}},
		"pop":             {"I7\nI8\n0(I1\nI2\n1.", int64(7)},
		"text string":     {"S'a\\'b\"c\\n'\n.", "a'b\"c\n"},
		"other quotes":    {"S\"a'b\"\n.", "a'b"},
		"beyond Latin-1":  {"Vx\\u20ac\\U0001f600\n.", "x€😀"},
		"half an escape":  {"Vx\\u20\n.", "x\\u20"},
		"short bytes":     {"U\x03abc.", "abc"},
		"no number":       {"\x8a\x00.", int64(0)},
		"smallest":        {"\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80.", int64(math.MinInt64)},
		"numbered by 4":   {"I5\nr\x01\x00\x01\x00" + "0j\x01\x00\x01\x00.", int64(5)},
		"text dict":       {"(Va\nI1\nd.", map[any]any{"a": int64(1)}},
		"text list":       {"(I1\nI2\nl.", []any{int64(1), int64(2)}},
		"behind the stop": {"N.rest", nil},
	} {
		v, err := Load([]byte(c.in), Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if diff := cmp.Diff(c.want, plain(v)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestObjects(t *testing.T) {
	in := "\x80\x02cm\nC\n)\x81}X\x01\x00\x00\x00aK\x01sb."
	v, err := Load([]byte(in), Options{Allow: func(c Class) bool { return c == Class{"m", "C"} }})
	o, ok := v.(*Object)
	if err != nil || !ok || o.Class != (Class{"m", "C"}) || len(o.Args) != 0 {
		t.Fatalf("%v, %v", v, err)
	}
	if a, ok := o.State.(*Dict).Get("a"); !ok || a != int64(1) {
		t.Errorf("state %v", o.State)
	}
	if _, ok := o.State.(*Dict).Get("b"); ok {
		t.Error("a key that is not there was found")
	}

	v, err = Load([]byte("(Vx\nI3\ntQ."), Options{Persistent: func(id any) (any, error) { return fmt.Sprint(id), nil }})
	if err != nil || v != "[x 3]" {
		t.Errorf("persistent: %v, %v", v, err)
	}
	refused := errors.New("refused")
	if _, err = Load([]byte("Psome id\n."), Options{Persistent: func(id any) (any, error) { return nil, refused }}); !errors.Is(err, refused) {
		t.Errorf("persistent: %v", err)
	}

	// A list that holds itself does not cause an endless loop.
	v, err = Load([]byte("\x80\x02]q\x00(K\x01h\x00e."), Options{})
	if l, ok := v.(*List); err != nil || !ok || l.Items[1] != any(l) {
		t.Errorf("a list in itself: %v", err)
	}
}

func TestRefuses(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"nothing":             {"", "cut off"},
		"no stop":             {"N", "cut off"},
		"nothing made":        {".", "not made"},
		"a mark as result":    {"(.", "not made"},
		"os.system":           {"\x80\x02cposix\nsystem\nq\x00X\x07\x00\x00\x00echo hiq\x01\x85q\x02Rq\x03.", "posix.system"},
		"os.system by stack":  {"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x07echo hi\x94\x85\x94R\x94.", "posix.system"},
		"eval":                {"c__builtin__\neval\n(V1\ntR.", "__builtin__.eval"},
		"other protocol":      {"\x80\x06N.", "protocol 6"},
		"unknown instruction": {"\xff.", "0xff"},
		"long string":         {"X\xff\xff\xff\xffabc.", "cut off"},
		"longer string":       {"\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc.", "cut off"},
		"long bytes":          {"\x8e\x00\x00\x00\x00\x00\x00\x00\x80abc.", "cut off"},
		"large number":        {"\x8a\x09\x01\x02\x03\x04\x05\x06\x07\x08\x09.", "too large"},
		"huge number":         {"\x8b\xff\xff\xff\x7f.", "cut off"},
		"no number":           {"Ix\n.", "not a number"},
		"no float":            {"Fx\n.", "parsing"},
		"no string":           {"Sx\n.", "not a string"},
		"unknown memo":        {"h\x05.", "number 5"},
		"memo of nothing":     {"q\x05.", "not made"},
		"memo of a mark":      {"(q\x05.", "not made"},
		"memo name":           {"Npx\n.", "not a number"},
		"append to nothing":   {"I1\na.", "not made"},
		"append to a number":  {"I1\nI2\na.", "int64"},
		"append to a mark":    {"(I2\na.", "not made"},
		"no mark":             {"I1\nt.", "not made"},
		"entries of a list":   {"](I1\nI2\nu.", "List"},
		"odd entries":         {"}(I1\nu.", "without a value"},
		"odd dict":            {"(I1\nd.", "without a value"},
		"a list as key":       {"}]I1\ns.", "key of kind"},
		"a dict as key":       {"(}I1\nd.", "key of kind"},
		"call of a number":    {"I1\n)R.", "int64"},
		"call with a number":  {"ccollections\nOrderedDict\nI1\nR.", "int64"},
		"no pairs":            {"ccollections\nOrderedDict\nI1\n\x85R.", "pairs"},
		"a pair of three":     {"ccollections\nOrderedDict\n](I1\nI2\nI3\nta\x85R.", "pairs"},
		"state of a number":   {"I1\n}b.", "int64"},
		"class of numbers":    {"I1\nI2\n\x93.", "no string"},
		"outside":             {"NQ.", "outside"},
		"cut class":           {"ccollections\nOrdered", "cut off"},
		"tuple of a mark":     {"(\x85.", "not made"},
	} {
		v, err := Load([]byte(c.in), Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, %v; want an error with %q", name, v, err, c.want)
		}
	}
	var class *ClassError
	if _, err := Load([]byte("cposix\nsystem\n."), Options{Allow: allowEncode}); !errors.As(err, &class) || class.Class != (Class{"posix", "system"}) {
		t.Errorf("class: %v", err)
	}
}

// FuzzLoad: no input makes the reader panic, take much more memory than the input, or
// name a class that is not allowed.
func FuzzLoad(f *testing.F) {
	for _, s := range samples {
		f.Add([]byte(s))
	}
	f.Add([]byte("\x80\x02cposix\nsystem\nq\x00X\x07\x00\x00\x00echo hiq\x01\x85q\x02Rq\x03."))
	f.Add([]byte("\x80\x02]q\x00(K\x01h\x00e."))
	f.Add([]byte("ccollections\nOrderedDict\n((lVx\nI1\n\x86a(lI2\naI3\naatR."))
	f.Fuzz(func(t *testing.T, b []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		asked := false
		_, err := Load(b, Options{
			Allow:      func(c Class) bool { asked = asked || c == encode; return c == encode },
			Persistent: func(id any) (any, error) { return id, nil },
		})
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20+250*uint64(len(b)) {
			t.Fatalf("%d bytes of input took %d bytes of memory", len(b), grown)
		}
		var class *ClassError
		if errors.As(err, &class) && class.Class == encode {
			t.Fatalf("an allowed class was refused (asked: %v)", asked)
		}
	})
}
