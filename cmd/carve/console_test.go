package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/guard"
	"github.com/carve-video/carve/internal/pipeline"
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
		out := &console{w: &b, onlyJSON: c.onlyJSON}
		for _, s := range c.writes {
			if n, err := io.WriteString(out, s); n != len(s) || err != nil {
				t.Errorf("%s: wrote %d of %d, %v", c.what, n, len(s), err)
			}
		}
		if err := out.flush(); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		if b.String() != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.what, b.String(), c.want)
		}
	}
	var b bytes.Buffer
	overwrite(&console{w: &b}, "dog\x1b\n")
	overwrite(&console{w: &b, onlyJSON: true}, "nothing")
	if b.String() != "\r\x1b[Kdog\\u001b\n" {
		t.Errorf("written over: %q", b.String())
	}
	broken := &console{w: brokenWriter{}}
	if n, err := io.WriteString(broken, "x"); n != 0 || !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("to a closed pipe: %d, %v", n, err)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// A panic in a stage is an error of the line, with all released as ever; that of a command
// is a failure, not what a usage error is.
func TestPanic(t *testing.T) {
	release := func(int) {}
	for _, where := range []string{"begin", "then", "spread", "flush", "finish"} {
		l := pipeline.New(t.Context())
		n := 0
		fail := func(stage string, v int) {
			if where == stage && v > 2 {
				panic("a fault")
			}
		}
		numbers := pipeline.Produce(l, "begin", 1, release, func(context.Context) (int, error) {
			n++
			fail("begin", n)
			if n > 1000 {
				return 0, pipeline.ErrDone
			}
			return n, nil
		})
		same := pipeline.Map(l, "then", numbers, 1, release, func(_ context.Context, v int) (int, error) {
			fail("then", v)
			return v, nil
		})
		more := pipeline.Buffer(l, "spread", same, 1, release, func(_ context.Context, v int) ([]int, error) {
			fail("spread", v)
			return []int{v}, nil
		}, func(context.Context) ([]int, error) {
			fail("flush", 3)
			return nil, nil
		})
		pipeline.Consume(l, "finish", more, func(_ context.Context, v int) error {
			fail("finish", v)
			return nil
		})
		err := l.Wait()
		var internal *guard.PanicError
		if !errors.As(err, &internal) || err.Error() != "internal error: a fault" || !bytes.Contains(internal.Stack, []byte("TestPanic")) {
			t.Errorf("%s: %v", where, err)
			continue
		}
		var b bytes.Buffer
		if code := report(&b, "", fmt.Errorf("segmenting: %w", err)); code != exitFailed {
			t.Errorf("%s: exit code %d", where, code)
		}
		if got := b.String(); !strings.HasPrefix(got, "carve: error: segmenting: internal error: a fault\ncarve: hint: this is a fault of carve") {
			t.Errorf("%s: %s", where, got)
		}
		for _, asked := range []string{"", "all"} {
			t.Setenv("GOTRACEBACK", asked)
			b.Reset()
			if printStack(&b, err); strings.Contains(b.String(), "TestPanic") != (asked != "") {
				t.Errorf("%s: with GOTRACEBACK=%s the stack is: %s", where, asked, b.String())
			}
		}
	}
	// Whatever the panic was with, it is no mistake on the command line.
	if code := report(io.Discard, "", guard.Run(func() error { panic(usagef("x")) })); code != exitFailed {
		t.Errorf("a panic with a usage error ends with %d", code)
	}
}
