package fetch

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// content is a file of n bytes, the same for the same seed.
func content(n int, seed byte) []byte {
	b := make([]byte, n)
	rng := rand.NewChaCha8([32]byte{seed})
	rng.Read(b)
	return b
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// quick is a client with short pauses.
func quick() *Client {
	return &Client{Backoff: time.Millisecond, Stall: 300 * time.Millisecond, Tries: 4}
}

// An answer is the response of a server to request n, from 0.
type answer func(n int, w http.ResponseWriter, r *http.Request)

// A server records the ranges of its requests.
type server struct {
	*httptest.Server
	mu     sync.Mutex
	ranges []string
}

func serve(t *testing.T, a answer) *server {
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		n := len(s.ranges)
		s.ranges = append(s.ranges, r.Header.Get("Range"))
		s.mu.Unlock()
		a(n, w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *server) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string{}, s.ranges...)
}

// whole serves content like a regular server.
func whole(b []byte) answer {
	return func(_ int, w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	}
}

// first gives another answer to the first request.
func first(a, then answer) answer {
	return func(n int, w http.ResponseWriter, r *http.Request) {
		if n > 0 {
			a = then
		}
		a(n, w, r)
	}
}

func status(code int) answer {
	return func(_ int, w http.ResponseWriter, r *http.Request) { w.WriteHeader(code) }
}

// stall sends the first n bytes of b, and then nothing.
func stall(b []byte, n int) answer {
	return func(_ int, w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(len(b)))
		w.Write(b[:n])
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	}
}

// ranged answers 206 to any request.
func ranged(place string, b []byte) answer {
	return func(_ int, w http.ResponseWriter, r *http.Request) {
		if place != "" {
			w.Header().Set("Content-Range", place)
		}
		w.Header().Set("Content-Length", fmt.Sprint(len(b)))
		w.WriteHeader(http.StatusPartialContent)
		w.Write(b)
	}
}

// breakOff closes the connection after n bytes of each body.
func breakOff(b []byte, n int) answer {
	return func(_ int, w http.ResponseWriter, r *http.Request) {
		from, head := 0, "200 OK\r\n"
		if s := r.Header.Get("Range"); s != "" {
			fmt.Sscanf(s, "bytes=%d-", &from)
			if from >= len(b) {
				w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
				return
			}
			head = fmt.Sprintf("206 Partial Content\r\nContent-Range: bytes %d-%d/%d\r\n", from, len(b)-1, len(b))
		}
		hijack(w, fmt.Sprintf("HTTP/1.1 %sContent-Length: %d\r\n\r\n", head, len(b)-from), b[from:min(len(b), from+n)])
	}
}

// hijack sends what net/http's server would not, and closes the connection.
func hijack(w http.ResponseWriter, head string, body []byte) {
	conn, buf, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	buf.WriteString(head)
	buf.Write(body)
	buf.Flush()
}

// check fails unless dest has want and no other file but the lock is left.
func check(t *testing.T, dest string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(dest)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v; want %d", len(got), err, len(want))
	}
	missing(t, dest+".part")
}

func missing(t *testing.T, path string) {
	t.Helper()
	if _, err := os.Lstat(path); err == nil {
		t.Errorf("%s is there", path)
	}
}

// rerun runs one test of this binary in another process.
func rerun(t *testing.T, test string, env ...string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$", "-test.count=1")
	// By default the race detector waits a second at the end.
	cmd.Env = append(append(os.Environ(), "GORACE=atexit_sleep_ms=0"), env...)
	return cmd
}
