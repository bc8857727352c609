package fetch

import (
	"bufio"
	"bytes"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// If several callers want the same file at once, in this process and another, there is
// one download. The server delays it until the other process waits.
func TestTogether(t *testing.T) {
	t.Parallel()
	file := content(2_000_000, 9)
	if to := os.Getenv("TEST_FETCH_TO"); to != "" {
		c := quick()
		c.Log = slog.New(slog.NewTextHandler(os.Stdout, nil))
		fetched, err := c.Get(t.Context(), File{URLs: []string{os.Getenv("TEST_FETCH_FROM")}, SHA256: sum(file)}, to)
		if err != nil || fetched {
			t.Fatalf("fetched %v, err %v", fetched, err)
		}
		return
	}
	asked, waits := make(chan struct{}), make(chan struct{})
	srv := serve(t, func(n int, w http.ResponseWriter, r *http.Request) {
		if n == 0 {
			close(asked)
			select {
			case <-waits:
			case <-r.Context().Done():
			}
		}
		whole(file)(n, w, r)
	})
	dest := filepath.Join(t.TempDir(), "file")
	var wg sync.WaitGroup
	var fetched atomic.Int32
	for range 4 {
		wg.Go(func() {
			c := quick()
			c.Stall = 0 // the start of the other process may take any time
			ok, err := c.Get(t.Context(), File{URLs: []string{srv.URL}, SHA256: sum(file)}, dest)
			if err != nil {
				t.Error(err)
			}
			if ok {
				fetched.Add(1)
			}
		})
	}
	<-asked
	cmd := rerun(t, "TestTogether", "TEST_FETCH_TO="+dest, "TEST_FETCH_FROM="+srv.URL)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	waited := false
	var said bytes.Buffer
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		if !waited && strings.Contains(lines.Text(), "level=INFO") && strings.Contains(lines.Text(), "waiting") {
			waited = true
			close(waits)
		}
	}
	if err := cmd.Wait(); err != nil || !waited {
		t.Errorf("the other process: %v, waited %v\n%s", err, waited, &said)
	}
	if !waited {
		close(waits)
	}
	wg.Wait()
	check(t, dest, file)
	if n := len(srv.requests()); n != 1 || fetched.Load() != 1 {
		t.Errorf("%d downloads, %d say that it was theirs", n, fetched.Load())
	}
}
