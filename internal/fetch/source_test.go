package fetch

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

func TestMirror(t *testing.T) {
	t.Parallel()
	file := content(1000, 7)
	var asked atomic.Value
	srv := serve(t, func(n int, w http.ResponseWriter, r *http.Request) {
		asked.Store(r.RequestURI)
		whole(file)(n, w, r)
	})
	for _, c := range []struct{ mirror, source, want string }{
		{"", "https://publisher.example/a", "/a"},
		{"/base", "https://publisher.example/a/b%20c?d=e", "/base/a/b%20c?d=e"},
		{"/base/", "http://user:hush@publisher.example/a%2Fb//c/", "/base/a%2Fb//c/"},
		{"/with%2Fslash", "https://publisher.example:99/a", "/with%2Fslash/a"},
		{"/base", "https://publisher.example", "/base/"},
	} {
		cl := quick()
		cl.Mirror = srv.URL + c.mirror
		if _, err := cl.Get(t.Context(), File{URLs: []string{c.source}, SHA256: sum(file)}, filepath.Join(t.TempDir(), "f")); err != nil {
			t.Errorf("%s: %v", c.source, err)
		}
		if asked.Load() != c.want {
			t.Errorf("%s: asked the mirror for %q, want %q", c.source, asked.Load(), c.want)
		}
	}
}

// Invalid sources and mirrors are named in errors, without their secrets.
func TestNoSource(t *testing.T) {
	t.Parallel()
	for _, u := range []string{
		"", "nothing", "file:///etc/passwd", "http://", "%", "ftp://user:hush@host/x?hush", "user:hush@host/x",
		"http://user:hush@ho st/x?hush", "//user:hush@host/x#hush",
	} {
		if _, err := failing(t, quick(), sum(nil), u); !strings.Contains(err.Error(), "source") || strings.Contains(err.Error(), "hush") {
			t.Errorf("source %q: %v", u, err)
		}
		if u == "" {
			continue // not a mirror
		}
		c := quick()
		c.Mirror = u
		if _, err := failing(t, c, sum(nil), "http://host"); !strings.Contains(err.Error(), "mirror") || strings.Contains(err.Error(), "hush") {
			t.Errorf("mirror %q: %v", u, err)
		}
	}
}

// The default client uses a proxy from the environment. Go reads the environment once
// in a process, so the test runs in another one.
func TestProxy(t *testing.T) {
	t.Parallel()
	file := content(1000, 8)
	if to := os.Getenv("TEST_FETCH_THROUGH"); to != "" {
		if _, err := quick().Get(t.Context(), File{URLs: []string{"http://publisher.example/x"}, SHA256: sum(file)}, to); err != nil {
			t.Fatal(err)
		}
		return
	}
	var asked atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Store(r.URL.String())
		whole(file)(0, w, r)
	}))
	defer proxy.Close()
	dest := filepath.Join(t.TempDir(), "f")
	// Lower case has priority over upper case.
	cmd := rerun(t, "TestProxy", "HTTP_PROXY="+proxy.URL, "http_proxy="+proxy.URL, "NO_PROXY=", "no_proxy=", "TEST_FETCH_THROUGH="+dest)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("the other process: %v\n%s", err, out)
	}
	check(t, dest, file)
	if asked.Load() != "http://publisher.example/x" {
		t.Errorf("the proxy was asked for %v", asked.Load())
	}
}
