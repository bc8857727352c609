package densecrf

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"
)

// background is the context of tests that do not cancel.
var background = context.Background()

// field returns New(…) without an error.
func field(w, h int, rgb []uint8, p Params) *CRF {
	c, err := New(background, w, h, rgb, p)
	if err != nil {
		panic(err)
	}
	return c
}

// ramp returns an image of smooth colours.
func ramp(w, h int) []uint8 {
	rgb := make([]uint8, 3*w*h)
	for i := range rgb {
		rgb[i] = uint8(i/3%w/9 + i/3/w/7 + i%3*40)
	}
	return rgb
}

// cancelDuring calls f, cancels its context after a while, and returns how long after
// that f returned.
func cancelDuring(t *testing.T, after time.Duration, f func(ctx context.Context) error) time.Duration {
	t.Helper()
	ctx, cancel := context.WithCancel(background)
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

// TestCancelled: an inference that would take hours ends when it is cancelled, and the
// field can be used again.
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
			if late := cancelDuring(t, 30*time.Millisecond, infer); late > time.Second {
				t.Errorf("%s, %d threads: %v late", name, threads, late)
			}
		}
		c.params.Iterations = 4
		if err := c.Infer(background, unary, labels, q); err != nil {
			t.Fatal(err)
		}
		fresh := p
		fresh.Iterations = 4
		want := make([]float32, len(unary))
		field(w, h, rgb, fresh).Infer(background, unary, labels, want)
		if !slices.Equal(q, want) {
			t.Errorf("%d threads: a field that was cancelled is not as good as a new one", threads)
		}
		done, cancel := context.WithCancel(background)
		cancel()
		if err := c.Reset(done, rgb); !errors.Is(err, context.Canceled) {
			t.Errorf("reset with a context that has ended: %v", err)
		}
		if err := c.Reset(background, rgb); err != nil {
			t.Fatal(err)
		}
		c.Infer(background, unary, labels, q)
		if !slices.Equal(q, want) {
			t.Errorf("%d threads: a field whose reset was cancelled cannot be reset", threads)
		}
	}
}

// A countdown is a context that ends after a number of calls of Err.
type countdown struct {
	context.Context
	left atomic.Int64
}

func (c *countdown) Err() error {
	if c.left.Add(-1) < 0 {
		return context.Canceled
	}
	return nil
}

// TestCancelledAtEveryCheck: at whichever check the context ends, the call returns its
// error and the field can be reset.
func TestCancelledAtEveryCheck(t *testing.T) {
	const w, h, labels = 60, 40, 3
	rgb := ramp(w, h)
	unary := make([]float32, labels*w*h)
	for i := range unary {
		unary[i] = float32(i % 5)
	}
	for _, threads := range []int{1, 2, 3} {
		p := Reference()
		p.Iterations, p.Threads = 1, threads
		c := field(w, h, rgb, p)
		want, q := make([]float32, len(unary)), make([]float32, len(unary))
		c.Infer(background, unary, labels, want)
		for name, call := range map[string]func(ctx context.Context) error{
			"new":   func(ctx context.Context) error { _, err := New(ctx, w, h, rgb, p); return err },
			"reset": func(ctx context.Context) error { return c.Reset(ctx, rgb) },
			"infer": func(ctx context.Context) error { return c.Infer(ctx, unary, labels, q) },
		} {
			for checks := int64(0); ; checks++ {
				ctx := &countdown{Context: background}
				ctx.left.Store(checks)
				err := call(ctx)
				if err == nil {
					break
				}
				if !errors.Is(err, context.Canceled) {
					t.Fatalf("%s, %d threads, %d checks: %v", name, threads, checks, err)
				}
				if checks > 10000 {
					t.Fatalf("%s, %d threads: it never ends by itself", name, threads)
				}
			}
		}
		if err := c.Reset(background, rgb); err != nil {
			t.Fatal(err)
		}
		c.Infer(background, unary, labels, q)
		if !slices.Equal(q, want) {
			t.Errorf("%d threads: the field is not as good as before", threads)
		}
	}
}

// TestCancelledLarge: on a large image, every step checks the context often.
func TestCancelledLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const w, h = 1920, 1080
	rgb := ramp(w, h)
	p := Reference()
	p.Threads = 2
	for _, after := range []time.Duration{5, 40, 150, 400, 1200} {
		late := cancelDuring(t, after*time.Millisecond, func(ctx context.Context) error {
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
