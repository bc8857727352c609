package car

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCancelledCRF: a refinement that would take hours ends when it is told to.
func TestCancelledCRF(t *testing.T) {
	for name, change := range map[string]func(*Preset){
		"one field":  func(*Preset) {},
		"overlap":    func(p *Preset) { p.Overlap = true },
		"in colours": func(p *Preset) { p.Quirks.WrapColours = true },
	} {
		wd := newWorld()
		preset := worldPreset()
		change(&preset)
		s := wd.segmenter(t, preset)
		s.preset.CRF.Iterations = 1 << 40 // which no file can ask for
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := s.Segment(ctx, wd.picture(), named("dog", "cat"))
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > time.Second {
			t.Errorf("%s: %v after %v", name, err, took)
		}
	}
}

// A fuse is a context that ends when it has been looked at so many times.
type fuse struct {
	context.Context
	left atomic.Int64
}

func (f *fuse) Err() error {
	if f.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// TestCancelledAnywhere: wherever it is that a segmentation is cancelled, it ends
// with the context's error, gives back what it held and leaves a segmenter that is
// as good as before.
func TestCancelledAnywhere(t *testing.T) {
	wd := newWorld()
	preset := worldPreset()
	preset.Overlap = true
	s := wd.segmenter(t, preset)
	s.Threads = 1
	queries := named("dog", "cat", "cow")
	segment := func(left int64) (*Result, int64, error) {
		ctx := &fuse{Context: t.Context()}
		ctx.left.Store(left)
		res, err := s.Segment(ctx, wd.picture(), queries)
		return res, left - ctx.left.Load(), err
	}
	const plenty = 1 << 40
	if _, _, err := segment(plenty); err != nil { // lattices are built once
		t.Fatal(err)
	}
	want, looks, err := segment(plenty)
	if err != nil {
		t.Fatal(err)
	}
	if looks < 200 {
		t.Errorf("the context was looked at %d times", looks)
	}
	for left := int64(0); left < looks; left += 1 + looks/97 {
		if _, _, err := segment(left); !errors.Is(err, context.Canceled) {
			t.Fatalf("cancelled at look %d of %d: %v", left, looks, err)
		}
		if wd.looks != wd.closes {
			t.Fatalf("cancelled at look %d of %d: %d views were opened and %d closed", left, looks, wd.looks, wd.closes)
		}
		if left%7 != 0 {
			continue
		}
		got, _, err := segment(plenty)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("after it was cancelled at look %d of %d the result is another:\n%.500s", left, looks, d)
		}
	}
}
