//go:build unix

package video

import (
	"os"
	"syscall"
)

// openStandardInput makes a file of the open standard input. Its name cannot be opened if
// it is a socket, or a pipe of another user, as under sudo. err is that failure.
func openStandardInput(err error) (*os.File, error) {
	fd, failed := syscall.Dup(syscall.Stdin)
	if failed != nil {
		return nil, err
	}
	syscall.CloseOnExec(fd)
	_ = syscall.SetNonblock(fd, true) // without it reads cannot be interrupted
	return os.NewFile(uintptr(fd), standardInput), nil
}
