package atomicfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// tryFile reports why no file can be made in a folder. A file without a name is seen by
// nobody, and is gone even if the process is killed meanwhile. Not every file system has
// such files.
func tryFile(dir string) error {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return tryHidden(dir)
	}
	return os.NewFile(uintptr(fd), dir).Close()
}
