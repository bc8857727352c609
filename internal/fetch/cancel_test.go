package fetch

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"
)

// A cancelled fetch ends soon in any state, keeps what it has, and leaves no goroutine.
// Not parallel, because goroutines are counted.
func TestCancel(t *testing.T) {
	file := content(100_000, 10)
	for name, c := range map[string]struct {
		serve answer
		part  int // bytes that must be left
	}{
		"before the answer": {func(_ int, w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 0},
		"in the body":       {stall(file, 1000), 1000},
		"in a pause that the server asked for": {func(_ int, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusServiceUnavailable)
		}, 0},
		"in a pause": {breakOff(file, 1000), 1000},
	} {
		t.Run(name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			srv := serve(t, c.serve)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			cl := &Client{Backoff: time.Minute, Stall: time.Minute}
			if c.part > 0 {
				cl.Progress = func(p Progress) {
					if p.Have == int64(c.part) {
						time.AfterFunc(20*time.Millisecond, cancel)
					}
				}
			} else {
				time.AfterFunc(100*time.Millisecond, cancel)
			}
			dest := filepath.Join(t.TempDir(), "f")
			from := time.Now()
			fetched, err := cl.Get(ctx, File{URLs: []string{srv.URL, srv.URL}, SHA256: sum(file)}, dest)
			if fetched || !errors.Is(err, context.Canceled) || time.Since(from) > 5*time.Second {
				t.Errorf("%v, %v after %v", fetched, err, time.Since(from))
			}
			missing(t, dest)
			if b, _ := os.ReadFile(dest + ".part"); !bytes.Equal(b, file[:c.part]) {
				t.Errorf("the part has %d bytes, want %d", len(b), c.part)
			}
			if n := len(srv.requests()); n != 1 {
				t.Errorf("%d requests", n)
			}
			srv.Close()
			waitForGoroutines(t, before)
		})
	}
}

// waitForGoroutines fails unless there are soon no more goroutines than before.
func waitForGoroutines(t *testing.T, before int) {
	t.Helper()
	for until := time.Now().Add(3 * time.Second); runtime.NumGoroutine() > before; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			stacks := make([]byte, 1<<16)
			t.Fatalf("%d goroutines, %d before\n%s", runtime.NumGoroutine(), before, stacks[:runtime.Stack(stacks, true)])
		}
	}
}

func TestCancelLock(t *testing.T) {
	before := runtime.NumGoroutine()
	dest := filepath.Join(t.TempDir(), "f")
	unlock, err := quick().lock(t.Context(), dest)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := quick().Get(ctx, File{URLs: []string{"http://127.0.0.1:1"}, SHA256: sum(nil)}, dest); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	missing(t, dest+".part")
	waitForGoroutines(t, before)
}

// expiring is cancelled after it has been checked a number of times.
type expiring struct {
	context.Context
	left   int
	cancel func()
}

func (e *expiring) Err() error {
	if e.left--; e.left < 0 {
		e.cancel()
	}
	return e.Context.Err()
}

// Hashing an existing file takes seconds if it is large. It can be cancelled too, and
// leaves both file and part intact.
func TestCancelHashing(t *testing.T) {
	file := content(1_000_000, 11)
	for _, suffix := range []string{"", ".part"} {
		dest := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(dest+suffix, file, 0o666); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		// Get checks once itself, and each read of 32 KB checks again.
		_, err := quick().Get(&expiring{ctx, 10, cancel}, File{URLs: []string{"http://127.0.0.1:1"}, SHA256: sum(file)}, dest)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("hashing f%s: error %v", suffix, err)
		}
		if b, _ := os.ReadFile(dest + suffix); !bytes.Equal(b, file) {
			t.Errorf("f%s has %d bytes", suffix, len(b))
		}
	}
}

// A successful fetch leaves no goroutine either, although connections are kept alive
// meanwhile.
func TestNoneLeft(t *testing.T) {
	before := runtime.NumGoroutine()
	file := content(1000, 12)
	srv := serve(t, whole(file))
	if _, err := quick().Get(t.Context(), File{URLs: []string{srv.URL}, SHA256: sum(file)}, filepath.Join(t.TempDir(), "f")); err != nil {
		t.Fatal(err)
	}
	// Once the client has closed the connection, one of the server's goroutines
	// remains: the one that listens.
	waitForGoroutines(t, before+1)
}
