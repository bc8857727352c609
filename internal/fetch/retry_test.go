package fetch

import (
	"net/http"
	"path/filepath"
	"sync/atomic"
	"testing"
	"time"
)

func TestBackoff(t *testing.T) {
	t.Parallel()
	b := backoff{first: time.Second}
	for _, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
		want *= time.Second
		if got := b.next(); got < want || got > min(want+want/4, maxPause) {
			t.Errorf("pause of %v, want %v and up to a quarter more", got, want)
		}
	}
	b.reset()
	if got := b.next(); got < time.Second || got > 2*time.Second {
		t.Errorf("pause of %v after a reset", got)
	}
	if got := (&backoff{first: time.Hour}).next(); got != maxPause {
		t.Errorf("pause of %v", got)
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	file := content(1000, 6)
	var refused atomic.Int64
	srv := serve(t, first(func(_ int, w http.ResponseWriter, r *http.Request) {
		refused.Store(time.Now().UnixNano())
		w.Header().Set("Retry-After", "1")
		w.WriteHeader(http.StatusTooManyRequests)
	}, whole(file)))
	if _, err := quick().Get(t.Context(), File{URLs: []string{srv.URL}, SHA256: sum(file)}, filepath.Join(t.TempDir(), "f")); err != nil {
		t.Fatal(err)
	}
	if waited := time.Since(time.Unix(0, refused.Load())); waited < 900*time.Millisecond {
		t.Errorf("asked again after %v, told to wait a second", waited)
	}

	date := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	for s, want := range map[string]time.Duration{
		"": 0, "soon": 0, "-5": 0, "0": 0, "1.5": 0, "99999999999999999999": 0, date(-time.Hour): 0,
		"7": 7 * time.Second, "3600": time.Minute, "9223372036854775807": time.Minute, date(time.Hour): time.Minute,
	} {
		if got := retryAfter(s); got != want {
			t.Errorf("%q is %v, want %v", s, got, want)
		}
	}
	if d := retryAfter(date(30 * time.Second)); d < 25*time.Second || d > 31*time.Second {
		t.Errorf("a date half a minute from now is %v", d)
	}
}

func TestContentRange(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]span{
		"bytes 100-199/200": {100, 199, 200},
		"bytes 0-0/1":       {0, 0, 1},
		"bytes 5-9/*":       {5, 9, 10},
	} {
		if got, ok := contentRange(s); !ok || got != want {
			t.Errorf("%q is %v, %v", s, got, ok)
		}
	}
	for _, s := range []string{
		"", "bytes", "bytes */200", "bytes 1-2", "bytes 5-3/9", "bytes 0-9/9", "bytes -3-5/9", "bytes 1-2/x", "bytes 1-/9", "1-2/9", "bytes a-b/9",
	} {
		if got, ok := contentRange(s); ok {
			t.Errorf("%q is %v", s, got)
		}
	}
}
