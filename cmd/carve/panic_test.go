package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/guard"
	"github.com/carve-video/carve/internal/pipeline"
	"github.com/carve-video/carve/internal/ui"
)

// TestPanic: a panic in a stage is an error of the pipeline. A panic in a command ends with
// the exit code of a failure, not with that of a usage error.
func TestPanic(t *testing.T) {
	release := func(int) {}
	for _, where := range []string{"produce", "map", "buffer", "flush", "consume"} {
		l := pipeline.New(t.Context())
		n := 0
		fail := func(stage string, v int) {
			if where == stage && v > 2 {
				panic("a fault")
			}
		}
		numbers := pipeline.Produce(l, "produce", 1, release, func(context.Context) (int, error) {
			n++
			fail("produce", n)
			if n > 1000 {
				return 0, pipeline.ErrDone
			}
			return n, nil
		})
		same := pipeline.Map(l, "map", numbers, 1, release, func(_ context.Context, v int) (int, error) {
			fail("map", v)
			return v, nil
		})
		more := pipeline.Buffer(l, "buffer", same, 1, release, func(_ context.Context, v int) ([]int, error) {
			fail("buffer", v)
			return []int{v}, nil
		}, func(context.Context) ([]int, error) {
			fail("flush", 3)
			return nil, nil
		})
		pipeline.Consume(l, "consume", more, func(_ context.Context, v int) error {
			fail("consume", v)
			return nil
		})
		err := l.Wait()
		var internal *guard.PanicError
		if !errors.As(err, &internal) || err.Error() != "internal error: a fault" || !bytes.Contains(internal.Stack, []byte("TestPanic")) {
			t.Errorf("%s: %v", where, err)
			continue
		}
		var b bytes.Buffer
		if code := ui.Report(&b, false, fmt.Errorf("segmenting: %w", err)); code != ui.ExitFailed {
			t.Errorf("%s: exit code %d", where, code)
		}
		if got := b.String(); !strings.HasPrefix(got, "carve: error: segmenting: internal error: a fault\ncarve: hint: this is a fault of carve") {
			t.Errorf("%s: %s", where, got)
		}
		for _, setting := range []string{"", "all"} {
			t.Setenv("GOTRACEBACK", setting)
			b.Reset()
			if printStack(&b, err); strings.Contains(b.String(), "TestPanic") != (setting != "") {
				t.Errorf("%s: with GOTRACEBACK=%s the stack is: %s", where, setting, b.String())
			}
		}
	}
	// A panic is never a usage error, whatever its value.
	if code := ui.Report(io.Discard, false, guard.Run(func() error { panic(ui.Usagef("x")) })); code != ui.ExitFailed {
		t.Errorf("a panic with a usage error ends with %d", code)
	}
}
