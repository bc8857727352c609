//go:build unix

package atomicfile

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// writable returns why no file can be made in a folder.
func writable(dir string) error {
	if err := unix.Access(dir, unix.W_OK|unix.X_OK); err != nil {
		return err
	}
	return tryFile(dir)
}

// duplicate duplicates a descriptor; both share one position in the file.
func duplicate(fd int, name string) (*os.File, error) {
	n, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(n), name), nil
}

// openInPlace opens a device or a named pipe. It waits for a pipe's reader without
// blocking a thread.
func openInPlace(path string) (*os.File, error) {
	for {
		f, err := os.OpenFile(path, os.O_WRONLY|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
		if !errors.Is(err, unix.ENXIO) {
			return f, err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// keepOwner gives a new file the owner and group of the one that it replaces, if
// permitted: root may replace a user's file.
func (to target) keepOwner(f *os.File) {
	if st, ok := to.info.Sys().(*syscall.Stat_t); ok {
		f.Chown(int(st.Uid), int(st.Gid)) // without permission the caller owns it
	}
}

// writableFile returns why an open file cannot be written to.
func writableFile(f *os.File) error {
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFL, 0)
	if err == nil && flags&unix.O_ACCMODE == unix.O_RDONLY {
		err = errors.New("is open for reading only")
	}
	return err
}
