package pickle

import (
	"fmt"
	"strings"
	"testing"
)

// Every way of nesting values is bounded.
func TestNesting(t *testing.T) {
	for name, c := range map[string]struct{ start, open, inner, close string }{
		"tuples":        {"", "", ")", "\x85"},
		"marked tuples": {"", "(", "N", "t"},
		"lists":         {"", "]", "N", "a"},
		"marked lists":  {"", "(", "N", "l"},
		"dicts":         {"", "}K\x01", "N", "s"},
		"marked dicts":  {"", "(K\x01", "N", "d"},
		"calls":         {"cm\nC\nq\x00", "h\x00", "N", "\x85R"},
		"states":        {"cm\nC\nq\x00", "h\x00)\x81", "N", "b"},
	} {
		load := func(n int) error {
			s := c.start + strings.Repeat(c.open, n) + c.inner + strings.Repeat(c.close, n) + "."
			_, err := Load([]byte(s), Options{Allow: func(Class) bool { return true }})
			return err
		}
		if err := load(300); err != nil {
			t.Errorf("%s, 300 deep: %v", name, err)
		}
		if err := load(3000); err == nil || !strings.Contains(err.Error(), "nested deeper") {
			t.Errorf("%s, 3000 deep: %v", name, err)
		}
	}
}

// A few bytes that recall a long list must not each cost a pass over it.
func TestPairsAreUsedOnce(t *testing.T) {
	var b strings.Builder
	b.WriteString("ccollections\nOrderedDict\nq\x00(")
	for i := range 100 {
		fmt.Fprintf(&b, "(I%d\nNt", i)
	}
	b.WriteString("lq\x01")
	once := b.String() + "0h\x00h\x01\x85R."
	if v, err := Load([]byte(once), Options{}); err != nil || len(v.(*Dict).Keys) != 100 {
		t.Errorf("used once: %v, %v", v, err)
	}
	often := b.String() + strings.Repeat("h\x00h\x01\x85R", 100) + "."
	if _, err := Load([]byte(often), Options{}); err == nil || !strings.Contains(err.Error(), "more pairs") {
		t.Errorf("used 100 times: %v", err)
	}
}

// Values below an open mark cannot be used until it is closed.
func TestMarks(t *testing.T) {
	for _, s := range []string{"N(0N(a.", "I1\n(\x85t.", "]((I1\nt)ae.", "I1\nI2\n(\x86.", "N(2.", "(.", "}((u."} {
		if v, err := Load([]byte(s), Options{}); err == nil {
			t.Errorf("%q gave %v", s, v)
		}
	}
	// In Python, POP may close an empty mark.
	if v, err := Load([]byte("I1\n(0."), Options{}); err != nil || v != int64(1) {
		t.Errorf("a closed mark: %v, %v", v, err)
	}
}

// The input may be a file that is unmapped after reading.
func TestInputIsNotKept(t *testing.T) {
	in := []byte("C\x03abc.")
	v, err := Load(in, Options{})
	if err != nil {
		t.Fatal(err)
	}
	clear(in)
	if b, _ := v.([]byte); string(b) != "abc" {
		t.Errorf("the value changed to %q with the input", b)
	}
}

func TestText(t *testing.T) {
	for in, want := range map[string]any{
		`S'caf\xe9 \\ \' "\t'`: "caf\xe9 \\ ' \"\t",
		`S'\\'`:                `\`,
		"Vcaf\xe9":             "café",
		`V\u005cn\n`:           `\n\n`,
		`V\U0001f600 a"b`:      `😀 a"b`,
		"F-inf":                "-Inf",
		"I-7":                  int64(-7),
		"L99L":                 int64(99),
		"I00":                  false,
	} {
		v, err := Load([]byte(in+"\n."), Options{})
		if f, ok := v.(float64); ok {
			v = fmt.Sprint(f)
		}
		if err != nil || v != want {
			t.Errorf("%s: %q, %v; want %q", in, v, err, want)
		}
	}
	for _, in := range []string{`S'\x4'`, `S'\x4`, `S'\`, `S'\'`, `S'a`, "S'", `S'\q'`, "I9223372036854775808", "I1_0", "F1,5", "L"} {
		if v, err := Load([]byte(in+"\n."), Options{}); err == nil {
			t.Errorf("%s gave %q", in, v)
		}
	}
}

// Errors are printed to a terminal and must be readable.
func TestErrorsAreFitToPrint(t *testing.T) {
	for _, in := range []string{"c\x1b[2J" + strings.Repeat("x", 1<<20) + "\nb\n.", "I\x1b" + strings.Repeat("x", 1<<20) + "\n.", "F\x1b" + strings.Repeat("x", 1<<20) + "\n."} {
		_, err := Load([]byte(in), Options{})
		if err == nil || len(err.Error()) > 500 || strings.Contains(err.Error(), "\x1b") {
			t.Errorf("%.300v", err)
		}
	}
}
