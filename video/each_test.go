package video

import (
	"context"
	"errors"
	"testing"
)

// TestEach checks that every frame comes once and is released, however the loop ends.
func TestEach(t *testing.T) {
	in := clip(t, "in.mp4", "-c:v", "libx264")
	open := func(t *testing.T) *Source {
		s := &Source{Path: in, Frames: 1}
		if err := s.Initialize(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(s.Close)
		return s
	}

	s := open(t)
	var last *Frame
	n := int64(0)
	for shot, err := range s.Each(t.Context(), 80) {
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "index", shot.Index, n)
		p, err := shot.Picture()
		if err != nil {
			t.Fatal(err)
		}
		if max(p.W, p.H) != 80 || len(p.Pix) != 3*p.W*p.H {
			t.Fatalf("the image is %dx%d with %d bytes", p.W, p.H, len(p.Pix))
		}
		last = shot.Frame
		n++
	}
	equal(t, "frames", n, s.Info().Frames)
	if !last.released.Load() {
		t.Error("the last frame is not released")
	}

	// There is room for one frame, so continuing after a break shows that it was
	// released.
	s = open(t)
	for _, err := range s.Each(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		break
	}
	for shot, err := range s.Each(t.Context(), 0) {
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "index after a break", shot.Index, 1)
		break
	}

	// An error comes once and ends the loop.
	s = open(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	times := 0
	var failed error
	for shot, err := range s.Each(ctx, 0) {
		times++
		if failed = err; err == nil && shot.Index == 2 {
			cancel()
		}
	}
	// One or two frames may have been decoded already.
	if !errors.Is(failed, context.Canceled) || times > 6 {
		t.Errorf("cancelled in the third turn: error %v, %d turns", failed, times)
	}
}
