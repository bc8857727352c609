package atomicfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// tryFile returns why no file can be made in a folder. It tries with an unnamed file,
// which is invisible and disappears even if the process is killed. Not every file
// system supports that.
func tryFile(dir string) error {
	fd, err := unix.Open(dir, unix.O_TMPFILE|unix.O_RDWR|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return tryHidden(dir)
	}
	return os.NewFile(uintptr(fd), dir).Close()
}
