package fetch

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// content is a file of so many bytes, the same for the same seed.
func content(n int, seed uint64) []byte {
	b := make([]byte, n)
	rng := rand.NewChaCha8([32]byte{byte(seed)})
	rng.Read(b)
	return b
}

func sum(b []byte) string {
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:])
}

// quick is a client whose pauses are short.
func quick() *Client {
	return &Client{Backoff: time.Millisecond, Stall: 300 * time.Millisecond, Tries: 4}
}

// A counter counts requests and remembers their ranges.
type counter struct {
	mu     sync.Mutex
	ranges []string
}

func (c *counter) serve(h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c.mu.Lock()
		c.ranges = append(c.ranges, r.Header.Get("Range"))
		c.mu.Unlock()
		h(w, r)
	}
}

func (c *counter) requests() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string(nil), c.ranges...)
}

// whole serves content as a well-behaved server does.
func whole(b []byte) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(b))
	}
}

// breakOff answers a request, ranges included, and closes the connection after
// n bytes of the body.
func breakOff(w http.ResponseWriter, r *http.Request, b []byte, n int) {
	from := 0
	status := "200 OK"
	extra := ""
	if s := r.Header.Get("Range"); s != "" {
		fmt.Sscanf(s, "bytes=%d-", &from)
		status = "206 Partial Content"
		extra = fmt.Sprintf("Content-Range: bytes %d-%d/%d\r\n", from, len(b)-1, len(b))
	}
	conn, buf, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer conn.Close()
	fmt.Fprintf(buf, "HTTP/1.1 %s\r\nContent-Length: %d\r\n%s\r\n", status, len(b)-from, extra)
	buf.Write(b[from:min(len(b), from+n)])
	buf.Flush()
}

// check fails unless dest holds want and nothing else is left but the lock.
func check(t *testing.T, dest string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(dest)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d bytes, %v; want %d", len(got), err, len(want))
	}
	if _, err := os.Stat(dest + ".part"); err == nil {
		t.Error("the part file is still there")
	}
}

func TestGet(t *testing.T) {
	file := content(300_000, 1)
	other := content(300_000, 2)
	for name, c := range map[string]struct {
		part     []byte // left by an earlier attempt
		serve    func(n int32, w http.ResponseWriter, r *http.Request)
		requests []string // their ranges; nil is not looked at
	}{
		"plain": {serve: func(_ int32, w http.ResponseWriter, r *http.Request) { whole(file)(w, r) }, requests: []string{""}},
		"goes on from a part": {
			part:     file[:100_000],
			serve:    func(_ int32, w http.ResponseWriter, r *http.Request) { whole(file)(w, r) },
			requests: []string{"bytes=100000-"},
		},
		"the part is all": {
			part:     file,
			serve:    func(_ int32, w http.ResponseWriter, r *http.Request) { whole(file)(w, r) },
			requests: []string{"bytes=300000-"},
		},
		"the part is longer than the file": {
			part:     append(bytes.Clone(file), 1, 2, 3),
			serve:    func(_ int32, w http.ResponseWriter, r *http.Request) { whole(file)(w, r) },
			requests: []string{"bytes=300003-", ""},
		},
		"the part is of another file": {
			part:     other[:100_000],
			serve:    func(_ int32, w http.ResponseWriter, r *http.Request) { whole(file)(w, r) },
			requests: []string{"bytes=100000-", ""},
		},
		"ranges are not honoured": {
			part: file[:100_000],
			serve: func(_ int32, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", "300000")
				w.Write(file)
			},
			requests: []string{"bytes=100000-"},
		},
		"another range than asked for": {
			part: file[:100_000],
			serve: func(n int32, w http.ResponseWriter, r *http.Request) {
				if n == 0 {
					w.Header().Set("Content-Range", "bytes 5-299999/300000")
					w.WriteHeader(http.StatusPartialContent)
					w.Write(file[5:])
					return
				}
				whole(file)(w, r)
			},
			requests: []string{"bytes=100000-", ""},
		},
		"a range without its place": {
			part: file[:100_000],
			serve: func(n int32, w http.ResponseWriter, r *http.Request) {
				if n == 0 {
					w.WriteHeader(http.StatusPartialContent)
					w.Write(file[100_000:])
					return
				}
				whole(file)(w, r)
			},
			requests: []string{"bytes=100000-", ""},
		},
		"breaks off again and again": {
			serve: func(n int32, w http.ResponseWriter, r *http.Request) {
				breakOff(w, r, file, 40_000) // more often than Tries: each brings something
			},
		},
		"lies about the length": {
			serve: func(n int32, w http.ResponseWriter, r *http.Request) {
				if n == 0 {
					w.Header().Set("Content-Length", "400000")
					w.Write(file[:200_000])
					return
				}
				whole(file)(w, r)
			},
			requests: []string{"", "bytes=200000-"},
		},
		"says no length": {
			serve: func(_ int32, w http.ResponseWriter, r *http.Request) {
				w.Write(file[:10])
				w.(http.Flusher).Flush()
				w.Write(file[10:])
			},
			requests: []string{""},
		},
		"redirects": {
			serve: func(_ int32, w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/there" {
					http.Redirect(w, r, "/there", http.StatusFound)
					return
				}
				whole(file)(w, r)
			},
			requests: []string{"", ""},
		},
		"500, then well": {
			serve: func(n int32, w http.ResponseWriter, r *http.Request) {
				if n < 2 {
					w.WriteHeader(http.StatusInternalServerError)
					return
				}
				whole(file)(w, r)
			},
			requests: []string{"", "", ""},
		},
		"stalls, then well": {
			serve: func(n int32, w http.ResponseWriter, r *http.Request) {
				if n == 0 {
					w.Header().Set("Content-Length", "300000")
					w.Write(file[:1000])
					w.(http.Flusher).Flush()
					<-r.Context().Done()
					return
				}
				whole(file)(w, r)
			},
			requests: []string{"", "bytes=1000-"},
		},
		"slow": {
			serve: func(_ int32, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", "300000")
				for b := file; len(b) > 0; b = b[30_000:] {
					w.Write(b[:30_000])
					w.(http.Flusher).Flush()
					time.Sleep(40 * time.Millisecond) // in all longer than Stall
				}
			},
			requests: []string{""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var n atomic.Int32
			var count counter
			srv := httptest.NewServer(count.serve(func(w http.ResponseWriter, r *http.Request) { c.serve(n.Add(1)-1, w, r) }))
			defer srv.Close()
			dest := filepath.Join(t.TempDir(), "file")
			if c.part != nil {
				if err := os.WriteFile(dest+".part", c.part, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			cl := quick()
			var last Progress
			cl.Progress = func(p Progress) {
				if p.Have < 0 || p.Total > 0 && p.Have > p.Total && p.Total == int64(len(file)) {
					t.Errorf("progress %+v", p)
				}
				last = p
			}
			fetched, err := cl.Get(t.Context(), File{URLs: []string{srv.URL + "/x"}, SHA256: sum(file)}, dest)
			if err != nil || !fetched {
				t.Fatalf("%v, %v", fetched, err)
			}
			check(t, dest, file)
			if got := count.requests(); c.requests != nil && fmt.Sprint(got) != fmt.Sprint(c.requests) {
				t.Errorf("requests for %q, want %q", got, c.requests)
			}
			if last.Have != int64(len(file)) || last.Total != last.Have || last.ETA != 0 {
				t.Errorf("the last progress is %+v", last)
			}

			before := len(count.requests())
			if fetched, err := cl.Get(t.Context(), File{URLs: []string{srv.URL}, SHA256: strings.ToUpper(sum(file))}, dest); fetched || err != nil {
				t.Errorf("what is there was fetched again: %v, %v", fetched, err)
			}
			if len(count.requests()) != before {
				t.Error("what is there was asked for")
			}
		})
	}
}

func TestGetFails(t *testing.T) {
	file := content(50_000, 3)
	var hits atomic.Int32
	handler := func(f http.HandlerFunc) *httptest.Server {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			hits.Add(1)
			f(w, r)
		}))
		t.Cleanup(s.Close)
		return s
	}
	get := func(c *Client, urls ...string) (string, error) {
		t.Helper()
		hits.Store(0)
		dest := filepath.Join(t.TempDir(), "file")
		fetched, err := c.Get(t.Context(), File{URLs: urls, SHA256: sum(file)}, dest)
		if err == nil || fetched {
			t.Errorf("fetched %v, err %v", fetched, err)
			err = errors.New("none")
		}
		if _, e := os.Stat(dest); e == nil {
			t.Error("there is a file")
		}
		return dest, err
	}

	wrong := handler(whole(content(50_000, 4)))
	dest, err := get(quick(), wrong.URL)
	var bad *ChecksumError
	if !errors.As(err, &bad) || bad.Want != sum(file) || bad.Got == bad.Want || hits.Load() != 1 {
		t.Errorf("wrong checksum: %v after %d requests", err, hits.Load())
	}
	if left, _ := filepath.Glob(dest + "*"); len(left) != 1 || left[0] != dest+".lock" {
		t.Errorf("wrong checksum left %q", left)
	}

	for status, requests := range map[int]int32{404: 1, 403: 1, 401: 1, 410: 1, 400: 1, 503: 4, 429: 4, 408: 4} {
		s := handler(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(status) })
		_, err := get(quick(), s.URL+"/f?token=secret")
		var e *StatusError
		if !errors.As(err, &e) || e.Status != status || hits.Load() != requests {
			t.Errorf("%d: %v after %d requests, want %d", status, err, hits.Load(), requests)
		}
		if strings.Contains(err.Error(), "secret") {
			t.Errorf("%v shows the token", err)
		}
	}

	loop := handler(func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, r.URL.Path+"x", http.StatusFound) })
	c := quick()
	c.Tries = 1
	if _, err := get(c, loop.URL+"/"); !strings.Contains(err.Error(), "redirect") {
		t.Errorf("redirects without end: %v", err)
	}

	// A server that never brings a byte is given up, and the part stays.
	silent := handler(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Range") == "" {
			w.Header().Set("Content-Length", "50000")
			w.Write(file[:500])
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	})
	c = quick()
	c.Stall, c.Tries = 60*time.Millisecond, 2
	dest, err = get(c, silent.URL)
	if !strings.Contains(err.Error(), errStalled.Error()) || !strings.Contains(err.Error(), "tries") {
		t.Errorf("stalled: %v", err)
	}
	if b, _ := os.ReadFile(dest + ".part"); !bytes.Equal(b, file[:500]) {
		t.Errorf("stalled: the part has %d bytes", len(b))
	}

	// Nobody listens.
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	if _, err := get(quick(), "http://user:hush@"+address+"/x?key=hush"); strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "refused") {
		t.Errorf("refused: %v", err)
	}

	for _, u := range []string{"file:///etc/passwd", "ftp://host/x", "nothing", "http://", "%"} {
		if _, err := get(quick(), u); !strings.Contains(err.Error(), "source") {
			t.Errorf("%q: %v", u, err)
		}
	}
	if _, err := quick().Get(t.Context(), File{URLs: []string{"http://x"}}, filepath.Join(t.TempDir(), "x")); err == nil {
		t.Error("a file without a checksum was fetched")
	}
	if _, err := quick().Get(t.Context(), File{URLs: []string{wrong.URL}, SHA256: sum(file)}, filepath.Join(t.TempDir(), "no", "folder")); err == nil {
		t.Error("fetched into a folder that is not there")
	}
	if _, err := quick().Get(t.Context(), File{URLs: []string{wrong.URL}, SHA256: sum(file)}, t.TempDir()); err == nil {
		t.Error("fetched over a folder")
	}
}

// The second source is taken when the first one fails for good.
func TestSources(t *testing.T) {
	file := content(1000, 5)
	gone := httptest.NewServer(http.NotFoundHandler())
	defer gone.Close()
	damaged := httptest.NewServer(whole(file[1:]))
	defer damaged.Close()
	good := httptest.NewServer(whole(file))
	defer good.Close()
	dest := filepath.Join(t.TempDir(), "file")
	// What is there is replaced only by what is right.
	if err := os.WriteFile(dest, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	f := File{URLs: []string{gone.URL, damaged.URL}, SHA256: sum(file)}
	if _, err := quick().Get(t.Context(), f, dest); err == nil || !strings.Contains(err.Error(), "404") || !strings.Contains(err.Error(), "checksum") {
		t.Errorf("error %v", err)
	}
	if b, _ := os.ReadFile(dest); string(b) != "old" {
		t.Errorf("what was there is %q", b)
	}
	f.URLs = append(f.URLs, good.URL)
	if _, err := quick().Get(t.Context(), f, dest); err != nil {
		t.Fatal(err)
	}
	check(t, dest, file)
}

func TestRetryAfter(t *testing.T) {
	file := content(1000, 6)
	var first time.Time
	var n atomic.Int32
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) == 1 {
			first = time.Now()
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		whole(file)(w, r)
	}))
	defer srv.Close()
	if _, err := quick().Get(t.Context(), File{URLs: []string{srv.URL}, SHA256: sum(file)}, filepath.Join(t.TempDir(), "f")); err != nil {
		t.Fatal(err)
	}
	if waited := time.Since(first); waited < 900*time.Millisecond {
		t.Errorf("asked again after %v, told to wait a second", waited)
	}
	if d := retryAfter(time.Now().Add(30 * time.Second).UTC().Format(http.TimeFormat)); d < 25*time.Second || d > 31*time.Second {
		t.Errorf("a date half a minute from now is %v", d)
	}
	for _, s := range []string{"", "soon", "-5", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat)} {
		if d := retryAfter(s); d != 0 {
			t.Errorf("%q is %v", s, d)
		}
	}
}

func TestMirror(t *testing.T) {
	file := content(1000, 7)
	var asked string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.String()
		whole(file)(w, r)
	}))
	defer srv.Close()
	c := quick()
	c.Mirror = srv.URL + "/base/"
	if _, err := c.Get(t.Context(), File{URLs: []string{"https://publisher.example/a/b%20c?d=e"}, SHA256: sum(file)}, filepath.Join(t.TempDir(), "f")); err != nil {
		t.Fatal(err)
	}
	if asked != "/base/a/b%20c?d=e" {
		t.Errorf("asked the mirror for %q", asked)
	}
	c.Mirror = "mirror"
	if _, err := c.Get(t.Context(), File{URLs: []string{"https://publisher.example/a"}, SHA256: sum(file)}, filepath.Join(t.TempDir(), "f")); err == nil || !strings.Contains(err.Error(), "mirror") {
		t.Errorf("a mirror that is no URL: %v", err)
	}
}

// The client for everyday use asks a proxy, when the environment names one. Go
// reads the environment once in a process, so that is done in another one.
func TestProxy(t *testing.T) {
	file := content(1000, 8)
	if to := os.Getenv("TEST_FETCH_THROUGH"); to != "" {
		_, err := quick().Get(t.Context(), File{URLs: []string{"http://publisher.example/x"}, SHA256: sum(file)}, to)
		if err != nil {
			t.Fatal(err)
		}
		return
	}
	var asked atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.URL.String())
		whole(file)(w, r)
	}))
	defer proxy.Close()
	dest := filepath.Join(t.TempDir(), "f")
	again(t, "TestProxy", "HTTP_PROXY="+proxy.URL, "NO_PROXY=", "TEST_FETCH_THROUGH="+dest)
	check(t, dest, file)
	if asked.Load() != "http://publisher.example/x" {
		t.Errorf("the proxy was asked for %v", asked.Load())
	}
}

// again runs one test of this binary in a process of its own.
func again(t *testing.T, test string, env ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+test+"$", "-test.count=1")
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("the other process: %v\n%s", err, out)
	}
}

// Several that want the same file at once, in this process and in another, get
// it by one download.
func TestTogether(t *testing.T) {
	file := content(2_000_000, 9)
	f := File{URLs: []string{os.Getenv("TEST_FETCH_FROM")}, SHA256: sum(file)}
	if to := os.Getenv("TEST_FETCH_TO"); to != "" {
		if _, err := quick().Get(t.Context(), f, to); err != nil {
			t.Fatal(err)
		}
		return
	}
	var count counter
	srv := httptest.NewServer(count.serve(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(100 * time.Millisecond) // so that the others come meanwhile
		whole(file)(w, r)
	}))
	defer srv.Close()
	f.URLs[0] = srv.URL
	dest := filepath.Join(t.TempDir(), "file")
	var wg sync.WaitGroup
	var fetched atomic.Int32
	for range 4 {
		wg.Go(func() {
			ok, err := quick().Get(t.Context(), f, dest)
			if err != nil {
				t.Error(err)
			}
			if ok {
				fetched.Add(1)
			}
		})
	}
	again(t, "TestTogether", "TEST_FETCH_TO="+dest, "TEST_FETCH_FROM="+srv.URL)
	wg.Wait()
	check(t, dest, file)
	if n := len(count.requests()); n != 1 || fetched.Load() > 1 {
		t.Errorf("%d downloads, %d say that it was theirs", n, fetched.Load())
	}
}

// A fetch that is cancelled ends soon, wherever it is, and leaves what it got.
func TestCancel(t *testing.T) {
	file := content(100_000, 10)
	for name, serve := range map[string]http.HandlerFunc{
		"before the answer": func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
		"in the body": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "100000")
			w.Write(file[:1000])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
		"in a pause": func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Retry-After", "60")
			w.WriteHeader(http.StatusServiceUnavailable)
		},
	} {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(serve)
			defer srv.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			c := quick()
			c.Stall = time.Minute
			dest := filepath.Join(t.TempDir(), "f")
			from := time.Now()
			_, err := c.Get(ctx, File{URLs: []string{srv.URL, srv.URL}, SHA256: sum(file)}, dest)
			if !errors.Is(err, context.DeadlineExceeded) || time.Since(from) > 5*time.Second {
				t.Errorf("%v after %v", err, time.Since(from))
			}
			if _, err := os.Stat(dest); err == nil {
				t.Error("there is a file")
			}
			if name == "in the body" {
				if b, _ := os.ReadFile(dest + ".part"); !bytes.Equal(b, file[:1000]) {
					t.Errorf("the part has %d bytes", len(b))
				}
			}
		})
	}
	t.Run("waiting for another", func(t *testing.T) {
		dest := filepath.Join(t.TempDir(), "f")
		unlock, err := quick().lock(t.Context(), dest)
		if err != nil {
			t.Fatal(err)
		}
		defer unlock()
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := quick().Get(ctx, File{URLs: []string{"http://127.0.0.1:1"}, SHA256: sum(file)}, dest); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
	})
}

// A full disk is the user's to mend: it is not tried again.
func TestDiskFull(t *testing.T) {
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this system has no /dev/full")
	}
	defer f.Close()
	p := &part{path: "some.part", file: f, hash: sha256.New()}
	srv := httptest.NewServer(whole(content(1000, 11)))
	defer srv.Close()
	u, err := url.Parse(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	err = quick().try(t.Context(), u, p, newMeter(nil, 0))
	var disk *os.PathError
	if !errors.As(err, &disk) || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("error %v", err)
	}
}

func TestMeter(t *testing.T) {
	var told []Progress
	m := newMeter(func(p Progress) { told = append(told, p) }, 100)
	m.total = 1100
	m.window[0].at = time.Now().Add(-2 * time.Second)
	m.report(600) // 500 bytes in two seconds
	p := told[0]
	if p.Resumed != 100 || p.Rate < 200 || p.Rate > 260 || p.ETA < 1900*time.Millisecond || p.ETA > 2500*time.Millisecond {
		t.Errorf("progress %+v", p)
	}
	m.show(700)
	if len(told) != 1 {
		t.Error("told twice in a moment")
	}
	m.retry(2)
	m.report(50) // begun anew
	if p := told[1]; p.Resumed != 0 && p.Rate != 0 || p.Retry != 2 || p.Rate < 0 {
		t.Errorf("progress %+v", p)
	}
	newMeter(nil, 0).last(5) // silent
}

var _ io.Writer = (*part)(nil)
