package ui

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

func TestConsole(t *testing.T) {
	for _, c := range []struct {
		what     string
		onlyJSON bool
		writes   []string
		want     string
	}{
		{"text", false, []string{"a\x1b[2J\n", "\tb\x9b\n"}, "a\\u001b[2J\n\tb\\x9b\n"},
		{"a character in two", false, []string{"caf\xc3", "\xa9 \xe2\x82"}, "café \\xe2\\x82"},
		{"a secret", false, []string{"see http://u:hush@h/\n"}, "see http://***@h/\n"},
		{"JSON", false, []string{"{\"a\":\"http://u:x\u009b\",\"b\":\"c@d\u202e\"}\n"}, "{\"a\":\"http://u:x\\u009b\",\"b\":\"c@d\\u202e\"}\n"},
		{"lines of JSON at once", false, []string{"{\"a\":\"http://u:x\",\"b\":\"c@d\"}\n{\"a\":1}\n"}, "{\"a\":\"http://u:x\",\"b\":\"c@d\"}\n{\"a\":1}\n"},
		{"only JSON, lines at once", true, []string{"{\"a\":\"http://u:x\",\"b\":\"c@d\"}\n{\"a\":1}\n"}, "{\"a\":\"http://u:x\",\"b\":\"c@d\"}\n{\"a\":1}\n"},
		{"only JSON", true, []string{"{\"a\":\"http://u:hush@h\"}\n\nwrote ", "\"it\"\x1b\n[1]\nand http://u:hush@h"},
			"{\"a\":\"http://***@h\"}\n" + `{"message_type":"text","message":"wrote \"it\"\u001b"}` + "\n" +
				`{"message_type":"text","message":"[1]"}` + "\n" + `{"message_type":"text","message":"and http://***@h"}` + "\n"},
	} {
		var b bytes.Buffer
		out := NewConsole(&b, c.onlyJSON)
		for _, s := range c.writes {
			if n, err := io.WriteString(out, s); n != len(s) || err != nil {
				t.Errorf("%s: wrote %d of %d, %v", c.what, n, len(s), err)
			}
		}
		if err := out.Flush(); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		if b.String() != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.what, b.String(), c.want)
		}
	}
	var b bytes.Buffer
	Overwrite(NewConsole(&b, false), "dog\x1b\n")
	Overwrite(NewConsole(&b, true), "nothing")
	if b.String() != "\r\x1b[Kdog\\u001b\n" {
		t.Errorf("written over: %q", b.String())
	}
	broken := NewConsole(brokenWriter{}, false)
	if n, err := io.WriteString(broken, "x"); n != 0 || !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("to a closed pipe: %d, %v", n, err)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }
