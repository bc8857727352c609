package video

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestSkipCopies: an output that begins in the middle has the sound from there on, and the
// packets are those of the input, at their times.
func TestSkipCopies(t *testing.T) {
	in := ffmpeg(t, "in.mkv", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=2", "-f", "lavfi", "-i", "sine=duration=2", "-c:v", "ffv1", "-c:a", "pcm_s16le")
	const from = time.Second
	var want []string
	for _, p := range packets(t, in, "a", "pts_time,data_hash") {
		at, _, _ := strings.Cut(p, ",")
		if s, err := strconv.ParseFloat(at, 64); err != nil || s >= from.Seconds() {
			want = append(want, p)
		}
	}
	for _, ext := range []string{"mkv", "mov"} {
		src := &Source{Path: in}
		if err := src.Initialize(); err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		s := &Sink{Path: filepath.Join(t.TempDir(), "out."+ext), Source: src, Preset: "ultrafast"}
		if err := s.Initialize(); err != nil {
			t.Fatal(err)
		}
		src.SkipCopies(from)
		for {
			f, err := src.Read(context.Background())
			if errors.Is(err, io.EOF) {
				break
			}
			if err == nil && f.Time() >= from {
				err = s.Encode(context.Background(), f)
			}
			if err != nil {
				t.Fatal(err)
			}
			f.Release()
		}
		if err := s.Finish(); err != nil {
			t.Fatal(err)
		}
		got := packets(t, s.Path, "a", "pts_time,data_hash")
		// The packet that plays at the cut is kept.
		if len(got) > len(want)+2 || len(got) < len(want) || ext == "mkv" && !slices.Equal(got[len(got)-len(want):], want) {
			t.Errorf("%s: %d packets of sound, want %d", ext, len(got), len(want))
		}
		if first, _, _ := strings.Cut(got[0], ","); ext == "mov" {
			if s, err := strconv.ParseFloat(first, 64); err != nil || s < 0.9 || s > 1.01 {
				t.Errorf("%s: sound begins at %s", ext, first)
			}
		}
		if lost := s.Lost(); len(lost) > 0 {
			t.Errorf("%s: lost %v", ext, lost)
		}
	}
}
