package pipeline

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
)

// TestLineReleasesEverything ends a line by an error at each stage in turn, and by
// cancellation. Every item must be finished or released exactly once, and no goroutine
// left.
func TestLineReleasesEverything(t *testing.T) {
	broken := errors.New("broken")
	const n = 200
	for failAt := range 4 { // 3: no stage fails, the context is cancelled
		var made, gone atomic.Int64
		ctx, cancel := context.WithCancel(t.Context())
		l := New(ctx)
		release := func(int) { gone.Add(1) }
		next := 0
		a := Produce(l, "a", 2, release, func(context.Context) (int, error) {
			if next == n {
				return 0, ErrDone
			}
			if failAt == 0 && next == 50 {
				return 0, broken
			}
			next++
			made.Add(1)
			return next, nil
		})
		b := Map(l, "b", a, 2, release, func(_ context.Context, v int) (int, error) {
			if failAt == 1 && v == 50 {
				release(v)
				return 0, broken
			}
			return v, nil
		})
		Consume(l, "c", b, func(_ context.Context, v int) error {
			release(v)
			if failAt == 2 && v == 50 {
				return broken
			}
			if failAt == 3 && v == 50 {
				cancel()
			}
			return nil
		})
		err := l.Wait()
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

// TestLineKeepsOrder checks a line without errors.
func TestLineKeepsOrder(t *testing.T) {
	l := New(t.Context())
	next := 0
	drop := func(int) { t.Error("an item was released") }
	a := Produce(l, "a", 3, drop, func(context.Context) (int, error) {
		if next == 100 {
			return 0, ErrDone
		}
		next++
		return next, nil
	})
	b := Map(l, "b", a, 3, drop, func(_ context.Context, v int) (int, error) { return 2 * v, nil })
	var got []int
	Consume(l, "c", b, func(_ context.Context, v int) error { got = append(got, v); return nil })
	if err := l.Wait(); err != nil {
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
	for _, s := range l.Stages() {
		if s.Items() != 100 {
			t.Errorf("stage %s counted %d items, want 100", s.Name(), s.Items())
		}
	}
}

// TestBufferHoldsBack: items that are held are passed on later, in order, and the rest
// at the end.
func TestBufferHoldsBack(t *testing.T) {
	l := New(t.Context())
	drop := func(int) { t.Error("an item was released") }
	next := 0
	a := Produce(l, "a", 1, drop, func(context.Context) (int, error) {
		if next == 100 {
			return 0, ErrDone
		}
		next++
		return next, nil
	})
	var held []int
	most, flushed := 0, 0
	b := Buffer(l, "b", a, 1, drop, func(_ context.Context, v int) (done []int, _ error) {
		held = append(held, v)
		most = max(most, len(held))
		if len(held) > 7 {
			done, held = []int{held[0]}, held[1:]
		}
		return done, nil
	}, func(context.Context) ([]int, error) {
		flushed++
		rest := held
		held = nil
		return rest, nil
	})
	var got []int
	Consume(l, "c", b, func(_ context.Context, v int) error { got = append(got, v); return nil })
	if err := l.Wait(); err != nil {
		t.Fatal(err)
	}
	if len(got) != 100 || !slices.IsSorted(got) {
		t.Errorf("the items came as %v", got)
	}
	if most != 8 || flushed != 1 {
		t.Errorf("%d items were held at most and flushed %d times, want 8 and 1", most, flushed)
	}
}

// TestBufferReleasesEverything: wherever a line with a buffer ends, held items are
// finished or released exactly once.
func TestBufferReleasesEverything(t *testing.T) {
	broken := errors.New("broken")
	const n = 200
	for _, where := range []string{"produce", "buffer", "flush", "consume", "cancel", "nowhere"} {
		var made atomic.Int64
		gone := make([]atomic.Int64, n+1)
		release := func(v int) { gone[v].Add(1) }
		ctx, cancel := context.WithCancel(t.Context())
		l := New(ctx)
		next := 0
		a := Produce(l, "a", 2, release, func(context.Context) (int, error) {
			if next == n {
				return 0, ErrDone
			}
			if where == "produce" && next == 50 {
				return 0, broken
			}
			next++
			made.Add(1)
			return next, nil
		})
		var held []int
		b := Buffer(l, "b", a, 1, release, func(_ context.Context, v int) (done []int, err error) {
			held = append(held, v)
			if where == "buffer" && v == 50 {
				err = broken
			}
			if len(held) > 5 {
				done, held = held[:3:3], held[3:]
			}
			return done, err
		}, func(context.Context) ([]int, error) {
			rest := held
			held = nil
			if where == "flush" {
				return rest, broken
			}
			return rest, nil
		})
		Consume(l, "c", b, func(_ context.Context, v int) error {
			release(v)
			if v == 50 && where == "consume" {
				return broken
			}
			if v == 50 && where == "cancel" {
				cancel()
			}
			return nil
		})
		err := l.Wait()
		cancel()
		want := broken
		switch where {
		case "cancel":
			want = context.Canceled
		case "nowhere":
			want = nil
		}
		if !errors.Is(err, want) {
			t.Errorf("%s: error %v, want %v", where, err, want)
		}
		for v := 1; v <= int(made.Load()); v++ {
			if times := gone[v].Load(); times != 1 {
				t.Errorf("%s: item %d was finished or released %d times", where, v, times)
			}
		}
	}
}

// TestTee: every branch has every item, in order, and a lossy branch has those for
// which there was room.
func TestTee(t *testing.T) {
	l := New(t.Context())
	var released atomic.Int64
	release := func(int) { released.Add(1) }
	next, dropped := 0, 0
	a := Produce(l, "a", 1, release, func(context.Context) (int, error) {
		if next == 100 {
			return 0, ErrDone
		}
		next++
		return next, nil
	})
	worked := 0
	branches := Tee(l, "t", a, release, []Branch{{}, {Depth: 3}, {Depth: 2, Dropped: func() { dropped++ }}}, func(context.Context, int) error {
		worked++
		return nil
	})
	var got [3][]int
	gate := make(chan struct{})
	for i, b := range branches {
		Consume(l, "c", b, func(_ context.Context, v int) error {
			if i == 2 {
				<-gate
			}
			if got[i] = append(got[i], v); i == 0 && v == 100 {
				close(gate)
			}
			return nil
		})
	}
	if err := l.Wait(); err != nil {
		t.Fatal(err)
	}
	for i, n := range []int{100, 100} {
		if len(got[i]) != n || !slices.IsSorted(got[i]) {
			t.Errorf("branch %d has %v", i, got[i])
		}
	}
	// Two wait, one is in work; the last may have come when the gate was open.
	if n := len(got[2]); n < 2 || n > 4 || dropped != 100-n || int64(dropped) != released.Load() || worked != 100 {
		t.Errorf("%d items in the branch that drops, %d dropped, %d released, %d worked on", n, dropped, released.Load(), worked)
	}
}

// TestTeeReleasesEverything: wherever a line with branches ends, each branch has
// finished or released every item exactly once.
func TestTeeReleasesEverything(t *testing.T) {
	broken := errors.New("broken")
	for _, where := range []string{"work", "first", "second", "cancel", "nowhere"} {
		var shared, gone atomic.Int64
		release := func(int) { gone.Add(1) }
		ctx, cancel := context.WithCancel(t.Context())
		l := New(ctx)
		next := 0
		a := Produce(l, "a", 2, func(int) {}, func(context.Context) (int, error) {
			if next == 200 {
				return 0, ErrDone
			}
			next++
			return next, nil
		})
		branches := Tee(l, "t", a, release, []Branch{{Depth: 1}, {}, {Depth: 1, Dropped: func() {}}}, func(_ context.Context, v int) error {
			if where == "work" && v == 50 {
				return broken
			}
			shared.Add(3)
			return nil
		})
		for i, b := range branches {
			Consume(l, "c", b, func(_ context.Context, v int) error {
				release(v)
				if v == 50 && (where == "first" && i == 0 || where == "second" && i == 1) {
					return broken
				}
				if v == 50 && where == "cancel" && i == 0 {
					cancel()
				}
				return nil
			})
		}
		err := l.Wait()
		cancel()
		want := broken
		switch where {
		case "cancel":
			want = context.Canceled
		case "nowhere":
			want = nil
		}
		if !errors.Is(err, want) || gone.Load() != shared.Load() {
			t.Errorf("%s: error %v; %d shares, %d of them finished or released", where, err, shared.Load(), gone.Load())
		}
	}
}
