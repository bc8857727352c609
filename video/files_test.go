//go:build unix

package video

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/nofiles"
)

// TestTooManyFiles checks that running out of file descriptors is not reported as an
// error in the file.
func TestTooManyFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "o.mkv")
	sink, err := write(path, "libx264", "")
	if err != nil {
		t.Fatal(err)
	}
	var opened, readBack error
	nofiles.During(t, func() {
		_, opened = openDemuxer(path, false)
		readBack = sink.readBack(path)
	})
	if !errors.Is(opened, ErrUnreadable) || !strings.HasSuffix(opened.Error(), "cannot be read (too many open files)") {
		t.Errorf("opening: %v", opened)
	}
	if !errors.Is(readBack, ErrReadBack) || !strings.HasSuffix(readBack.Error(), "cannot be read back (too many open files)") {
		t.Errorf("reading back: %v", readBack)
	}
}
