package plaintext

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"
)

func TestRead(t *testing.T) {
	for _, c := range []struct{ text, want, wrong string }{
		{"", "", ""},
		{"dog\n", "dog\n", ""},
		{"\ufeffdog", "dog", ""},
		{"a\r\n\tb\r\n", "a\r\n\tb\r\n", ""},
		{"Хунд 犬 \U0001F415 e\u0301 \u200d", "Хунд 犬 \U0001F415 e\u0301 \u200d", ""},
		{"\xff\xfed\x00o\x00", "", "save it as UTF-8"},
		{"\xfe\xff\x00d\x00o", "", "save it as UTF-8"},
		{"a\ndo\xffg", "", "line 2, column 3: this is not UTF-8"},
		{"a\né\xc3", "", "line 2, column 2: this is not UTF-8"},
		{"\xed\xa0\x80", "", "line 1, column 1: this is not UTF-8"}, // a surrogate
		{"a\x00", "", "line 1, column 2: this is the control character U+0000"},
		{"\n\x1b[2J", "", "line 2, column 1: this is the control character U+001B"},
		{"\x7f", "", "control character U+007F"},
		{"\u0085", "", "control character U+0085"},
		{"a\rb", "", "line 1, column 2: this is a carriage return that ends no line"},
		{"a\r", "", "column 2: this is a carriage return"},
		{"a\u2028b", "", "line 1, column 2: this is the line separator U+2028"},
		{"\u202egod", "", "U+202E, which turns"},
		{"\u2066", "", "U+2066, which turns"},
		{"12345678901", "", "larger than 10 bytes"},
	} {
		limit := int64(10)
		if c.want != "" || len(c.text) != 11 {
			limit = 100
		}
		got, err := Read(strings.NewReader(c.text), limit)
		if c.wrong == "" {
			if err != nil || string(got) != c.want {
				t.Errorf("%q: %q, %v", c.text, got, err)
			}
		} else if err == nil || !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%q: error %v, want %q", c.text, err, c.wrong)
		}
	}
}

func TestCheck(t *testing.T) {
	for s, want := range map[string]string{
		"red frisbee": "", "犬": "",
		"a\tb":           "character 2 is the control character U+0009",
		"é\n":            "character 2 is the control character U+000A",
		"x\xffy":         "character 2 is not UTF-8",
		"\u009b2J":       "character 1 is the control character U+009B",
		"cat\u2029":      "character 4 is the line separator U+2029",
		"\u202dcat":      "character 1 is U+202D",
		"ca\u2069t":      "character 3 is U+2069",
		string("\ufffd"): "", // a replacement character in the text itself
	} {
		err := Check(s)
		if got := fmt.Sprint(err); want == "" && err != nil || want != "" && !strings.HasPrefix(got, want) {
			t.Errorf("%q: %v, want %q", s, err, want)
		}
		if p := Printable(s); Check(p) != nil || want == "" && p != s || utf8.RuneCountInString(p) != len([]rune(s)) {
			t.Errorf("%q: printable as %q", s, p)
		}
	}
}

// An endless file is not read to its end; a device is not opened.
func TestFiles(t *testing.T) {
	if _, err := ReadAll(endless{}, 1<<20); !errors.As(err, new(*TooLargeError)) {
		t.Errorf("an endless reader: %v", err)
	}
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		os.WriteFile(pipe, []byte("dog"), 0o600)
	}()
	if got, err := ReadFile(pipe, 10); string(got) != "dog" || err != nil {
		t.Errorf("a pipe: %q, %v", got, err)
	}
	<-done
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 1<<40); err != nil {
		t.Skip(err)
	}
	for path, want := range map[string]string{
		"/dev/zero": "/dev/zero is a device, not a file", dir: "is a folder, not a file",
		filepath.Join(dir, "none"): "no such file", large: "larger than 10 bytes",
	} {
		if _, err := ReadFile(path, 10); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", path, err, want)
		}
	}
}

type endless struct{}

func (endless) Read(b []byte) (int, error) { return len(b), nil }

// An accepted text has no refused characters, whatever the input.
func FuzzClean(f *testing.F) {
	for _, s := range []string{"dog\r\n", "\ufeffa", "\xff\xfea", "\u202e", "a\rb\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := Read(strings.NewReader(s), 1<<16)
		if err != nil {
			return
		}
		if !utf8.Valid(got) {
			t.Errorf("%q is let through", got)
		}
		for line := range strings.Lines(string(got)) {
			line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
			if err := Check(strings.ReplaceAll(line, "\t", " ")); err != nil {
				t.Errorf("%q is let through: %v", line, err)
			}
		}
	})
}

var _ io.Reader = endless{}
