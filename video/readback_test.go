package video

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestReadBack damages a written file, as a broken disk or muxer would, and reads it
// back.
func TestReadBack(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name, ext string
		damage    func(b []byte) []byte
	}{
		{"whole", ".mp4", nil},
		{"whole", ".mkv", nil},
		{"whole", ".avi", nil},
		{"whole", ".nut", nil},
		{"whole", ".ts", nil},
		{"nothing", ".mp4", func(b []byte) []byte { return nil }},
		{"no end", ".mp4", func(b []byte) []byte { return b[:len(b)/2] }},
		{"zeros", ".mkv", func(b []byte) []byte { return make([]byte, len(b)) }},
		{"no frames", ".mp4", func(b []byte) []byte {
			i := bytes.Index(b, []byte("mdat"))
			clear(b[i+4:])
			return b
		}},
		{"another codec", ".mkv", func(b []byte) []byte {
			return bytes.ReplaceAll(b, []byte("V_MPEG4/ISO/AVC"), []byte("V_MPEG4/ISO/ASP"))
		}},
		{"fewer frames", ".avi", func(b []byte) []byte {
			// The length in the stream's header is 32 bytes after its handler.
			i := bytes.Index(b, []byte("vids")) + 32
			b[i]--
			return b
		}},
	} {
		t.Run(c.name+c.ext, func(t *testing.T) {
			path := filepath.Join(dir, "o"+c.ext)
			encoder := "libx264"
			if c.ext == ".nut" {
				encoder = "ffv1"
			}
			sink, err := write(path, encoder, "")
			if err != nil {
				t.Fatal(err)
			}
			if c.damage != nil {
				b, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, c.damage(b), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			began := time.Now()
			err = sink.readBack(path)
			t.Log(time.Since(began), err)
			if (err != nil) != (c.damage != nil) || err != nil && !errors.Is(err, ErrReadBack) {
				t.Error(err)
			}
		})
	}
}

// TestShorterThanWritten checks that the length stated by the container is compared.
func TestShorterThanWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "o.mkv")
	sink, err := write(path, "libx264", "")
	if err != nil {
		t.Fatal(err)
	}
	sink.length += time.Second
	if err := sink.readBack(path); !errors.Is(err, ErrReadBack) {
		t.Error(err)
	}
}
