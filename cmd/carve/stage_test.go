package main

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
)

// TestLineReleasesEverything runs a line into an error at each stage in turn,
// and into cancellation, and demands that every item was finished or released
// exactly once and that nothing is left running.
func TestLineReleasesEverything(t *testing.T) {
	broken := errors.New("broken")
	const n = 200
	for failAt := range 4 { // 3: nobody fails, the context is cancelled
		var made, gone atomic.Int64
		ctx, cancel := context.WithCancel(t.Context())
		l := newLine(ctx)
		release := func(int) { gone.Add(1) }
		next := 0
		a := begin(l, "a", 2, release, func(context.Context) (int, error) {
			if next == n {
				return 0, errDone
			}
			if failAt == 0 && next == 50 {
				return 0, broken
			}
			next++
			made.Add(1)
			return next, nil
		})
		b := then(l, "b", a, 2, release, release, func(_ context.Context, v int) (int, error) {
			if failAt == 1 && v == 50 {
				release(v)
				return 0, broken
			}
			return v, nil
		})
		finish(l, "c", b, release, func(_ context.Context, v int) error {
			release(v)
			if failAt == 2 && v == 50 {
				return broken
			}
			if failAt == 3 && v == 50 {
				cancel()
			}
			return nil
		})
		err := l.wait()
		cancel()
		want := broken
		if failAt == 3 {
			want = context.Canceled
		}
		if !errors.Is(err, want) {
			t.Errorf("failing at %d: error %v, want %v", failAt, err, want)
		}
		if made.Load() != gone.Load() {
			t.Errorf("failing at %d: %d items made, %d finished or released", failAt, made.Load(), gone.Load())
		}
		if made.Load() == n {
			t.Errorf("failing at %d: the line ran to its end", failAt)
		}
	}
}

// TestLineKeepsOrder checks the way nothing goes wrong.
func TestLineKeepsOrder(t *testing.T) {
	l := newLine(t.Context())
	next := 0
	drop := func(int) { t.Error("an item was released") }
	a := begin(l, "a", 3, drop, func(context.Context) (int, error) {
		if next == 100 {
			return 0, errDone
		}
		next++
		return next, nil
	})
	b := then(l, "b", a, 3, drop, drop, func(_ context.Context, v int) (int, error) { return 2 * v, nil })
	var got []int
	finish(l, "c", b, drop, func(_ context.Context, v int) error { got = append(got, v); return nil })
	if err := l.wait(); err != nil {
		t.Fatal(err)
	}
	for i, v := range got {
		if v != 2*(i+1) {
			t.Fatalf("item %d is %d, want %d", i, v, 2*(i+1))
		}
	}
	if len(got) != 100 {
		t.Fatalf("%d items, want 100", len(got))
	}
	for _, s := range l.stages {
		if s.items.Load() != 100 {
			t.Errorf("stage %s counted %d items, want 100", s.name, s.items.Load())
		}
	}
}
