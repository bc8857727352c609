package fetch

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestGet(t *testing.T) {
	t.Parallel()
	file := content(300_000, 1)
	other := content(300_000, 2)
	there := serve(t, whole(file))
	for name, c := range map[string]struct {
		part     []byte // left by an earlier attempt
		serve    answer
		requests []string // their ranges; nil is not checked
		renewed  bool     // starts over, so that progress may go back
	}{
		"plain":               {serve: whole(file), requests: []string{""}},
		"goes on from a part": {part: file[:100_000], serve: whole(file), requests: []string{"bytes=100000-"}},
		"the part is all":     {part: file, serve: whole(file), requests: []string{}},
		"the part is longer than the file": {
			part: append(bytes.Clone(file), 1, 2, 3), serve: whole(file), requests: []string{"bytes=300003-", ""}, renewed: true,
		},
		"the part is of another file": {
			part: other[:100_000], serve: whole(file), requests: []string{"bytes=100000-", ""}, renewed: true,
		},
		"the part is another file": {
			part: other, serve: whole(file), requests: []string{"bytes=300000-", ""}, renewed: true,
		},
		"ranges are not honoured": {
			part: file[:100_000],
			serve: func(_ int, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", "300000")
				w.Write(file)
			},
			requests: []string{"bytes=100000-"}, renewed: true,
		},
		"ranges are refused": {
			part:     file[:100_000],
			serve:    first(status(http.StatusRequestedRangeNotSatisfiable), whole(file)),
			requests: []string{"bytes=100000-", ""}, renewed: true,
		},
		"another range than asked for": {
			part:     file[:100_000],
			serve:    first(ranged("bytes 50000-149999/300000", file[50_000:150_000]), whole(file)),
			requests: []string{"bytes=100000-", ""}, renewed: true,
		},
		"a range without its place": {
			part:     file[:100_000],
			serve:    first(ranged("", file[100_000:]), whole(file)),
			requests: []string{"bytes=100000-", ""}, renewed: true,
		},
		"a range that is past the total": {
			part:     file[:100_000],
			serve:    first(ranged("bytes 100000-299999/200000", file[100_000:]), whole(file)),
			requests: []string{"bytes=100000-", ""}, renewed: true,
		},
		"a range with more bytes than it says": {
			part: file[:100_000],
			serve: first(func(_ int, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Range", "bytes 100000-299999/300000")
				w.WriteHeader(http.StatusPartialContent)
				for err := error(nil); err == nil; _, err = w.Write(file[100_000:]) { // without end
				}
			}, whole(file)),
			requests: []string{"bytes=100000-", ""}, renewed: true,
		},
		"a range with fewer bytes than it says": {
			part:     file[:100_000],
			serve:    first(ranged("bytes 100000-299999/300000", file[150_000:]), whole(file)),
			requests: []string{"bytes=100000-", ""}, renewed: true,
		},
		"a range of an unknown total": {
			part:     file[:100_000],
			serve:    ranged("bytes 100000-299999/*", file[100_000:]),
			requests: []string{"bytes=100000-"},
		},
		"ranges come piecemeal": {
			part: file[:100_000],
			serve: first(ranged("bytes 100000-199999/300000", file[100_000:200_000]),
				ranged("bytes 200000-299999/300000", file[200_000:])),
			requests: []string{"bytes=100000-", "bytes=200000-"},
		},
		"breaks off again and again": {serve: breakOff(file, 40_000)}, // more often than Tries, but each brings something
		"begins anew for the part's length, and breaks off again and again": {
			part: append(bytes.Clone(file), 1, 2, 3), serve: breakOff(file, 40_000), renewed: true,
		},
		"begins anew for the checksum, and breaks off again and again": {
			part: other[:280_000], serve: breakOff(file, 40_000), renewed: true,
		},
		"breaks off behind the last byte": {
			serve: func(_ int, w http.ResponseWriter, r *http.Request) {
				hijack(w, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n493e0\r\n", file)
			},
			requests: []string{""},
		},
		"lies about the length": {
			serve: first(func(_ int, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", "400000")
				w.Write(file[:200_000])
			}, whole(file)),
			requests: []string{"", "bytes=200000-"},
		},
		"says no length": {
			serve: func(_ int, w http.ResponseWriter, r *http.Request) {
				w.Write(file[:10])
				w.(http.Flusher).Flush()
				w.Write(file[10:])
			},
			requests: []string{""},
		},
		"500, then well": {
			serve: func(n int, w http.ResponseWriter, r *http.Request) {
				if n < 2 {
					w.WriteHeader(http.StatusInternalServerError)
					return
				}
				whole(file)(n, w, r)
			},
			requests: []string{"", "", ""},
		},
		"stalls, then well": {serve: first(stall(file, 1000), whole(file)), requests: []string{"", "bytes=1000-"}},
		"slow": {
			serve: func(_ int, w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Length", "300000")
				for b := range slices.Chunk(file, 30_000) {
					w.Write(b)
					w.(http.Flusher).Flush()
					time.Sleep(40 * time.Millisecond) // in total longer than Stall
				}
			},
			requests: []string{""},
		},
		"redirects on the server": {
			serve: func(n int, w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/there" {
					http.Redirect(w, r, "/there", http.StatusFound)
					return
				}
				whole(file)(n, w, r)
			},
			requests: []string{"", ""},
		},
		"redirects to another host": {
			part: file[:100_000],
			serve: func(_ int, w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, there.URL+"/elsewhere", http.StatusTemporaryRedirect)
			},
			requests: []string{"bytes=100000-"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			srv := serve(t, c.serve)
			dest := filepath.Join(t.TempDir(), "file")
			if c.part != nil {
				if err := os.WriteFile(dest+".part", c.part, 0o666); err != nil {
					t.Fatal(err)
				}
			}
			cl := quick()
			var last Progress
			cl.Progress = func(p Progress) {
				if p.Have < last.Have && !c.renewed || p.Have < p.Resumed || p.Rate < 0 || p.Retry < last.Retry {
					t.Errorf("progress %+v after %+v", p, last)
				}
				last = p
			}
			fetched, err := cl.Get(t.Context(), File{URLs: []string{srv.URL + "/x"}, SHA256: sum(file)}, dest)
			if err != nil || !fetched {
				t.Fatalf("%v, %v", fetched, err)
			}
			check(t, dest, file)
			if got := srv.requests(); c.requests != nil && !slices.Equal(got, c.requests) {
				t.Errorf("requests for %q, want %q", got, c.requests)
			}
			if last.Have != int64(len(file)) || last.Total != last.Have || last.ETA != 0 {
				t.Errorf("the last progress is %+v", last)
			}
			if want := int64(len(c.part)); !c.renewed && last.Resumed != want || c.renewed && last.Resumed != 0 {
				t.Errorf("progress %+v says that bytes were resumed", last)
			}

			before := len(srv.requests())
			if fetched, err := cl.Get(t.Context(), File{URLs: []string{srv.URL}, SHA256: strings.ToUpper(sum(file))}, dest); fetched || err != nil {
				t.Errorf("what is there was fetched again: %v, %v", fetched, err)
			}
			if len(srv.requests()) != before {
				t.Error("what is there was asked for")
			}
		})
	}
}

// An existing file is replaced only by a correct one. After a permanent error the next
// source is tried.
func TestSources(t *testing.T) {
	t.Parallel()
	file := content(1000, 5)
	gone, damaged, good := serve(t, status(404)), serve(t, whole(file[1:])), serve(t, whole(file))
	dest := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(dest, []byte("old"), 0o666); err != nil {
		t.Fatal(err)
	}
	f := File{URLs: []string{gone.URL, damaged.URL}, SHA256: sum(file)}
	_, err := quick().Get(t.Context(), f, dest)
	if err == nil || !strings.Contains(err.Error(), "404") || !strings.Contains(err.Error(), "checksum") || strings.Contains(err.Error(), "\n") {
		t.Errorf("error %v", err)
	}
	if b, _ := os.ReadFile(dest); string(b) != "old" {
		t.Errorf("what was there is %q", b)
	}
	f.URLs = append(f.URLs, good.URL)
	if fetched, err := quick().Get(t.Context(), f, dest); err != nil || !fetched {
		t.Fatal(fetched, err)
	}
	check(t, dest, file)
	if n := []int{len(gone.requests()), len(damaged.requests()), len(good.requests())}; fmt.Sprint(n) != "[2 2 1]" {
		t.Errorf("requests %v", n)
	}
	if r := good.requests(); len(r) != 1 || r[0] != "" {
		t.Errorf("the good source was asked for %q: bytes of the wrong file were kept", r)
	}
}

// The next source continues where the last one stopped.
func TestSourcesShare(t *testing.T) {
	t.Parallel()
	file := content(10_000, 6)
	a := serve(t, first(breakOff(file, 4000), status(410)))
	b := serve(t, whole(file))
	dest := filepath.Join(t.TempDir(), "file")
	if _, err := quick().Get(t.Context(), File{URLs: []string{a.URL, b.URL}, SHA256: sum(file)}, dest); err != nil {
		t.Fatal(err)
	}
	check(t, dest, file)
	if r := b.requests(); !slices.Equal(r, []string{"bytes=4000-"}) {
		t.Errorf("the second source was asked for %q", r)
	}
}
