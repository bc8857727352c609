package video

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"syscall"
	"testing"
)

// TestTry checks that a trial leaves nothing behind and does not change the file that
// is written afterwards.
func TestTry(t *testing.T) {
	in := clip(t, "in.mp4", "-f", "lavfi", "-i", "sine=duration=1", "-c:v", "libx264", "-c:a", "aac")
	write := func(try bool) []byte {
		src := &Source{Path: in}
		if err := src.Initialize(); err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		dir := t.TempDir()
		sink := &Sink{Path: filepath.Join(dir, "out.mp4"), Source: src, Preset: "ultrafast", Threads: 1}
		if try {
			err := sink.Try()
			if left, _ := os.ReadDir(dir); err != nil || len(left) > 0 {
				t.Errorf("%v, left behind: %v", err, left)
			}
		}
		if err := sink.Initialize(); err != nil {
			t.Fatal(err)
		}
		defer sink.Abort()
		for {
			f, err := src.Read(t.Context())
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			err = sink.Encode(t.Context(), f)
			f.Release()
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := sink.Finish(); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(sink.Path)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if a, b := write(false), write(true); !bytes.Equal(a, b) {
		t.Errorf("%d bytes after a trial, %d without one", len(b), len(a))
	}
}

// TestTryTakesAll checks that a trial copies every field of the sink.
func TestTryTakesAll(t *testing.T) {
	s := &Sink{Source: &Source{}, Reel: &Reel{}, FrameInfo: &Info{}, Protect: []string{"x"}, Options: map[string]string{"a": "b"}, Log: slog.Default()}
	fields := reflect.ValueOf(s).Elem()
	for i := range fields.NumField() {
		switch f := fields.Field(i); {
		case !f.CanSet():
		case f.Kind() == reflect.String:
			f.SetString("x")
		case f.Kind() == reflect.Int:
			f.SetInt(1)
		case f.Kind() == reflect.Bool:
			f.SetBool(true)
		}
	}
	trial := reflect.ValueOf(s.trial()).Elem()
	for i := range fields.NumField() {
		if name := fields.Type().Field(i); name.IsExported() && (fields.Field(i).IsZero() || trial.Field(i).IsZero()) {
			t.Errorf("%s is not taken over, or not set by this test", name.Name)
		}
	}
}

// TestTryRefuses checks errors that only opening the encoder or the file reveals.
func TestTryRefuses(t *testing.T) {
	in := clip(t, "in.mp4", "-c:v", "libx264")
	src := &Source{Path: in}
	if err := src.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe.mp4")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skip(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe.mkv"), 0o600); err != nil {
		t.Skip(err)
	}
	for _, c := range []struct{ name, preset, want string }{
		{"out.mp4", "hasty", "opening encoder libx264"},
		{"pipe.mkv", "hasty", "opening encoder libx264"},
		{"pipe.mp4", "", ErrNotSeekable.Error()},
		{"pipe.mkv", "", ""}, // without a reader; Try does not wait for one
	} {
		err := (&Sink{Path: filepath.Join(dir, c.name), Source: src, Preset: c.preset}).Try()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s with preset %q: %v, want %q", c.name, c.preset, err, c.want)
		}
	}
}
