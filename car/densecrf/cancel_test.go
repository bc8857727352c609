package densecrf

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// always is the context of tests that are about something else.
var always = context.Background()

// field builds one that nobody cancels.
func field(w, h int, rgb []uint8, p Params) *CRF {
	c, err := New(always, w, h, rgb, p)
	if err != nil {
		panic(err)
	}
	return c
}

// ramp is a picture of smooth colours.
func ramp(w, h int) []uint8 {
	rgb := make([]uint8, 3*w*h)
	for i := range rgb {
		rgb[i] = uint8(i/3%w/9 + i/3/w/7 + i%3*40)
	}
	return rgb
}

// soon calls a function whose context ends a moment later, and tells how long
// after that it returned.
func soon(t *testing.T, after time.Duration, f func(ctx context.Context) error) time.Duration {
	t.Helper()
	ctx, cancel := context.WithCancel(always)
	defer cancel()
	var at time.Time
	stop := time.AfterFunc(after, func() { at = time.Now(); cancel() })
	defer stop.Stop()
	err := f(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("it ended with %v before it was cancelled", err)
	}
	return time.Since(at)
}

// TestCancelled: an inference that would take hours ends when it is told to, and
// the field is as good as before.
func TestCancelled(t *testing.T) {
	const w, h, labels = 64, 48, 5
	p := Reference()
	p.Iterations = 1 << 40
	rgb := ramp(w, h)
	unary := slices.Repeat([]float32{1, 2, 3, .5}, labels*w*h/4)
	q := make([]float32, len(unary))
	for _, threads := range []int{1, 3} {
		p.Threads = threads
		c := field(w, h, rgb, p)
		for name, infer := range map[string]func(ctx context.Context) error{
			"one field":   func(ctx context.Context) error { return c.Infer(ctx, unary, labels, q) },
			"many fields": func(ctx context.Context) error { return c.InferEach(ctx, unary[:4*w*h], 2, q[:4*w*h]) },
		} {
			if late := soon(t, 30*time.Millisecond, infer); late > time.Second {
				t.Errorf("%s, %d threads: %v late", name, threads, late)
			}
		}
		c.params.Iterations = 4
		if err := c.Infer(always, unary, labels, q); err != nil {
			t.Fatal(err)
		}
		fresh := p
		fresh.Iterations = 4
		want := make([]float32, len(unary))
		field(w, h, rgb, fresh).Infer(always, unary, labels, want)
		if !slices.Equal(q, want) {
			t.Errorf("%d threads: a field that was cancelled is not as good as a new one", threads)
		}
		done, cancel := context.WithCancel(always)
		cancel()
		if err := c.Reset(done, rgb); !errors.Is(err, context.Canceled) {
			t.Errorf("reset with a context that has ended: %v", err)
		}
		if err := c.Reset(always, rgb); err != nil {
			t.Fatal(err)
		}
		c.Infer(always, unary, labels, q)
		if !slices.Equal(q, want) {
			t.Errorf("%d threads: a field whose reset was cancelled cannot be reset", threads)
		}
	}
}

// TestCancelledLarge: nothing that is done for a large picture goes on for long by
// itself.
func TestCancelledLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const w, h = 1920, 1080
	rgb := ramp(w, h)
	p := Reference()
	p.Threads = 2
	for _, after := range []time.Duration{5, 40, 150, 400, 1200} {
		late := soon(t, after*time.Millisecond, func(ctx context.Context) error {
			c, err := New(ctx, w, h, rgb, p)
			if err != nil {
				return err
			}
			unary := make([]float32, 2*w*h)
			for err == nil {
				err = c.Infer(ctx, unary, 2, unary)
			}
			return err
		})
		if late > time.Second {
			t.Errorf("cancelled after %v ms, it ended %v late", int(after), late)
		}
		t.Logf("cancelled after %d ms: %v late", after, late)
	}
}
