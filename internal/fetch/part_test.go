package fetch

import (
	"crypto/sha256"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A full disk is not tried again: the user has to act.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip("this system has no /dev/full")
	}
	defer f.Close()
	p := &part{path: "some.part", file: f, hash: sha256.New()}
	srv := serve(t, whole(content(1000, 11)))
	err = quick().fill(t.Context(), p, []string{srv.URL, srv.URL}, sum(nil), newMeter(nil, p))
	if !isDisk(err) || !strings.Contains(err.Error(), "no space left") || !strings.Contains(err.Error(), "/dev/full") {
		t.Errorf("error %v", err)
	}
	if n := len(srv.requests()); n != 1 {
		t.Errorf("%d requests", n)
	}
}

// If the final name cannot be given, it is a disk error that says which name.
func TestBecome(t *testing.T) {
	t.Parallel()
	dest := filepath.Join(t.TempDir(), "file")
	if err := os.Mkdir(dest, 0o777); err != nil {
		t.Fatal(err)
	}
	p, err := openPart(t.Context(), dest+".part")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.finish(dest); !isDisk(err) || !strings.Contains(err.Error(), dest) {
		t.Errorf("error %v", err)
	}
}
