package video

import (
	"errors"
	"io"
	"path/filepath"
	"testing"

	"github.com/carve-video/carve/internal/golden"
)

// TestLastFrame checks that a last frame of unknown duration does not get the average
// duration, which a gap of half a minute raises to a second.
func TestLastFrame(t *testing.T) {
	src := &Source{Path: filepath.Join(golden.Shared(t, "cases", "video"), "vfr_gap_30s_timescale_1e7.mp4")}
	if err := src.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var last int64
	for {
		f, err := src.Read(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		last = f.Duration
		f.Release()
	}
	equal(t, "ticks of the last frame", last, 333333)
}

func TestGuessDuration(t *testing.T) {
	s := &Source{info: Info{TimeBase: Rational{1, 1000}, AverageRate: Rational{10, 1}}}
	for step, want := range map[int64]int64{
		0:    100, // the only frame
		40:   40,
		90:   100,
		110:  100,
		5000: 100, // after a gap
	} {
		equal(t, "likely", s.guessDuration(step), want)
	}
}
