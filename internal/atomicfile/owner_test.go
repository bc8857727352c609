//go:build unix

package atomicfile

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestOwner: if root replaces a user's file, the user still owns it.
func TestOwner(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can give a file to another user: run it as root")
	}
	path := filepath.Join(t.TempDir(), "a")
	write(t, path, "old")
	if err := os.Chown(path, 1234, 1235); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if err := create(t, path, Options{Overwrite: true}).Commit(); err != nil {
		t.Fatal(err)
	}
	fi, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if st := fi.Sys().(*syscall.Stat_t); st.Uid != 1234 || st.Gid != 1235 || fi.Mode().Perm() != 0o640 {
		t.Errorf("it belongs to %d:%d with mode %v", st.Uid, st.Gid, fi.Mode())
	}
}
