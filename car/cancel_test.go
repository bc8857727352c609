package car

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestCancelledCRF: a refinement that would take hours ends when it is cancelled.
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
		s.preset.CRF.Iterations = 1 << 40 // more than a preset file may have
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		began := time.Now()
		_, err := s.Segment(ctx, wd.image(), named("dog", "cat"))
		if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > time.Second {
			t.Errorf("%s: %v after %v", name, err, took)
		}
	}
}

// An expiringContext is a context that ends after a number of calls of Err.
type expiringContext struct {
	context.Context
	left atomic.Int64
}

func (f *expiringContext) Err() error {
	if f.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// TestCancelledAnywhere: a segmentation that is cancelled at any point returns the
// context's error, closes its features and leaves the segmenter usable.
func TestCancelledAnywhere(t *testing.T) {
	wd := newWorld()
	preset := worldPreset()
	preset.Overlap = true
	s := wd.segmenter(t, preset)
	s.Threads = 1
	queries := named("dog", "cat", "cow")
	segment := func(left int64) (*Result, int64, error) {
		ctx := &expiringContext{Context: t.Context()}
		ctx.left.Store(left)
		res, err := s.Segment(ctx, wd.image(), queries)
		return res, left - ctx.left.Load(), err
	}
	const plenty = 1 << 40
	if _, _, err := segment(plenty); err != nil { // the first call builds the lattices
		t.Fatal(err)
	}
	want, checks, err := segment(plenty)
	if err != nil {
		t.Fatal(err)
	}
	if checks < 200 {
		t.Errorf("the context was checked %d times", checks)
	}
	for left := int64(0); left < checks; left += 1 + checks/97 {
		if _, _, err := segment(left); !errors.Is(err, context.Canceled) {
			t.Fatalf("cancelled at check %d of %d: %v", left, checks, err)
		}
		if wd.encodes != wd.closes {
			t.Fatalf("cancelled at check %d of %d: %d Features were opened and %d closed", left, checks, wd.encodes, wd.closes)
		}
		if left%7 != 0 {
			continue
		}
		got, _, err := segment(plenty)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Fatalf("after it was cancelled at check %d of %d the result differs:\n%.500s", left, checks, d)
		}
	}
}
