package fetch

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// failing is a Get that must fail and leave no file.
func failing(t *testing.T, c *Client, sha string, urls ...string) (dest string, err error) {
	t.Helper()
	dest = filepath.Join(t.TempDir(), "file")
	fetched, err := c.Get(t.Context(), File{URLs: urls, SHA256: sha}, dest)
	if err == nil || fetched {
		t.Fatalf("fetched %v, err %v", fetched, err)
	}
	if strings.Contains(err.Error(), "\n") {
		t.Errorf("the error has several lines: %q", err)
	}
	missing(t, dest)
	return dest, err
}

func TestChecksum(t *testing.T) {
	t.Parallel()
	file, wrong := content(50_000, 3), content(50_000, 4)
	for name, c := range map[string]struct {
		part     []byte // left by an earlier attempt
		serve    answer
		requests []string
	}{
		"at once": {nil, whole(wrong), []string{""}},
		// The second answer came in one piece, so the old part is not to blame.
		"at once after all": {file[:1000], first(breakOff(wrong, 1000), func(_ int, w http.ResponseWriter, r *http.Request) {
			w.Write(wrong)
		}), []string{"bytes=1000-", "bytes=2000-"}},
		// A file put together from pieces is fetched once more, and only once, even if
		// it comes in pieces again.
		"from pieces": {nil, func(n int, w http.ResponseWriter, r *http.Request) {
			if n%2 == 0 {
				breakOff(wrong, 20_000)(n, w, r)
				return
			}
			whole(wrong)(n, w, r)
		}, []string{"", "bytes=20000-", "", "bytes=20000-"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := serve(t, c.serve)
			dest := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(dest+".part", c.part, 0o666); err != nil {
				t.Fatal(err)
			}
			_, err := quick().Get(t.Context(), File{URLs: []string{srv.URL + "/f?token=hush"}, SHA256: sum(file)}, dest)
			var bad *ChecksumError
			if !errors.As(err, &bad) || bad.Want != sum(file) || bad.Got != sum(wrong) || bad.URL != srv.URL+"/f" {
				t.Errorf("error %#v", err)
			}
			if got := srv.requests(); !slices.Equal(got, c.requests) {
				t.Errorf("requests for %q, want %q", got, c.requests)
			}
			missing(t, dest)
			missing(t, dest+".part")
		})
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	for code, requests := range map[int]int{
		400: 1, 401: 1, 403: 1, 404: 1, 410: 1, 416: 1, 204: 1,
		408: 4, 425: 4, 429: 4, 500: 4, 503: 4,
	} {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			t.Parallel()
			srv := serve(t, status(code))
			dest, err := failing(t, quick(), sum(nil), srv.URL+"/f?token=hush")
			var e *StatusError
			if !errors.As(err, &e) || e.Status != code || e.URL != srv.URL+"/f" || len(srv.requests()) != requests {
				t.Errorf("%v after %d requests, want %d", err, len(srv.requests()), requests)
			}
			if requests > 1 && !strings.Contains(err.Error(), "4 tries") {
				t.Errorf("%v does not say how many tries", err)
			}
			missing(t, dest+".part") // because it would be empty
		})
	}
}

// A fetch ends whatever the server does.
func TestGivesUp(t *testing.T) {
	t.Parallel()
	file := content(50_000, 5)
	for name, c := range map[string]struct {
		serve answer
		says  string
		part  int // bytes that remain
		tries int // maximal number of requests
	}{
		"silent":           {stall(file, 0), errStalled.Error(), 0, 2},
		"silent after 500": {first(stall(file, 500), stall(file[:1000], 0)), errStalled.Error(), 500, 3},
		"a byte each time": {breakOff(file, 1), "200 tries", 200, 200},
		"the same start each time": {func(_ int, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", "50000")
			w.Write(file[:20_000])
		}, "tries", 20_000, 3},
		"another range each time": {first(breakOff(file, 20_000), func(n int, w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "" {
				breakOff(file, 20_000)(n, w, r)
				return
			}
			ranged("bytes 3-49999/50000", file[3:])(n, w, r)
		}), "tries", -1, 4},
		"refuses each range": {first(breakOff(file, 20_000), func(n int, w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Range") == "" {
				breakOff(file, 20_000)(n, w, r)
				return
			}
			w.WriteHeader(http.StatusRequestedRangeNotSatisfiable)
		}), "tries", -1, 6},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := serve(t, func(n int, w http.ResponseWriter, r *http.Request) {
				if name == "silent after 500" && n > 0 {
					<-r.Context().Done() // not even headers
					return
				}
				c.serve(n, w, r)
			})
			cl := quick()
			cl.Tries, cl.Stall = 2, 150*time.Millisecond
			if c.tries == 200 {
				cl.Stall = 5 * time.Second // on a slow machine none of the many tries may stall
			}
			dest, err := failing(t, cl, sum(file), srv.URL)
			if !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), "tries") {
				t.Errorf("error %v", err)
			}
			if n := len(srv.requests()); n > c.tries {
				t.Errorf("%d requests, want at most %d", n, c.tries)
			}
			if b, _ := os.ReadFile(dest + ".part"); c.part >= 0 && !bytes.Equal(b, file[:c.part]) {
				t.Errorf("the part has %d bytes, want %d", len(b), c.part)
			}
		})
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	for to, says := range map[string]string{"/f": "10 redirects", "file:///etc/hosts": `"file" is not followed`, "ftp://host/x": `"ftp" is not followed`} {
		srv := serve(t, func(_ int, w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", to)
			w.WriteHeader(http.StatusFound)
		})
		files := &http.Transport{} // one that would follow
		files.RegisterProtocol("file", http.NewFileTransport(http.Dir("/")))
		for _, h := range []*http.Client{nil, {Transport: files}} {
			c := quick()
			c.HTTP = h
			before := len(srv.requests())
			if _, err := failing(t, c, sum(nil), srv.URL); !strings.Contains(err.Error(), says) {
				t.Errorf("to %s: %v", to, err)
			}
			files.CloseIdleConnections()
			if n := len(srv.requests()) - before; n > 10 {
				t.Errorf("to %s: %d requests", to, n)
			}
		}
	}
}

func TestUnreachable(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	var told bytes.Buffer
	c := quick()
	c.Log = slog.New(slog.NewTextHandler(&told, nil))
	_, err = failing(t, c, sum(nil), "http://hush:hush@"+address+"/x?key=hush#hush")
	if s := err.Error(); strings.Contains(s, "hush") || !strings.Contains(s, "refused") || !strings.Contains(s, "http://"+address+"/x:") || !strings.Contains(s, "4 tries") {
		t.Errorf("error %v", err)
	}
	if told.Len() > 0 {
		t.Errorf("where there is no network the error says so; the log says it again: %s", &told)
	}
}

// An invalid client configuration is an error, not a panic.
func TestNonsense(t *testing.T) {
	t.Parallel()
	srv := serve(t, status(503))
	failing(t, &Client{Tries: -1, Backoff: -time.Second}, sum(nil), srv.URL)
	failing(t, &Client{Tries: 1, Stall: -time.Second}, sum(nil), srv.URL)
	for _, sha := range []string{"", "abc", strings.Repeat("x", 64), sum(nil) + "00"} {
		failing(t, quick(), sha, srv.URL)
	}
	failing(t, quick(), sum(nil))
}

// Disk errors name the file, and no other source is tried.
func TestDisk(t *testing.T) {
	t.Parallel()
	file := content(1000, 7)
	for name, prepare := range map[string]func(t *testing.T, dest string) error{
		"no folder":        func(t *testing.T, dest string) error { return os.Remove(filepath.Dir(dest)) },
		"dest is a folder": func(t *testing.T, dest string) error { return os.Mkdir(dest, 0o777) },
		"part is a folder": func(t *testing.T, dest string) error { return os.Mkdir(dest+".part", 0o777) },
		"part is a device": func(t *testing.T, dest string) error {
			if err := os.Symlink(os.DevNull, dest+".part"); err != nil {
				t.Skip(err)
			}
			return nil
		},
		"folder not writable": func(t *testing.T, dest string) error {
			if os.Geteuid() <= 0 {
				t.Skip("root may write anywhere, and Windows has no such thing")
			}
			return os.Chmod(filepath.Dir(dest), 0o555)
		},
		"part not readable": func(t *testing.T, dest string) error {
			if os.Geteuid() <= 0 {
				t.Skip("root may read anything, and Windows has no such thing")
			}
			return os.WriteFile(dest+".part", nil, 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := serve(t, whole(file))
			dest := filepath.Join(t.TempDir(), "sub", "file")
			if err := os.Mkdir(filepath.Dir(dest), 0o777); err != nil {
				t.Fatal(err)
			}
			if err := prepare(t, dest); err != nil {
				t.Fatal(err)
			}
			_, err := quick().Get(t.Context(), File{URLs: []string{srv.URL, srv.URL}, SHA256: sum(file)}, dest)
			if err == nil || !strings.Contains(err.Error(), dest) {
				t.Errorf("error %v", err)
			}
			if n := len(srv.requests()); n != 0 {
				t.Errorf("%d requests", n)
			}
		})
	}
}

// A file with the right checksum is accepted even where nothing can be written.
func TestReadOnly(t *testing.T) {
	t.Parallel()
	file := content(1000, 8)
	dest := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dest, file, 0o444); err != nil {
		t.Fatal(err)
	}
	// Blocks the lock, even for root.
	if err := os.Mkdir(dest+".lock", 0o777); err != nil {
		t.Fatal(err)
	}
	f := File{URLs: []string{"http://127.0.0.1:1"}, SHA256: sum(file)}
	if fetched, err := quick().Get(t.Context(), f, dest); fetched || err != nil {
		t.Errorf("%v, %v", fetched, err)
	}
	f.SHA256 = sum(nil)
	if _, err := quick().Get(t.Context(), f, dest); err == nil || !strings.Contains(err.Error(), dest+".lock") {
		t.Errorf("error %v", err)
	}
}
