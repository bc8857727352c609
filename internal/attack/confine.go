//go:build linux

package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A run of carve is confined by this program: started again with confineVerb as its
// first argument, it sets the limits, has the kernel stop at every socket, and becomes
// carve. The first file that it inherits is a socket over which it passes the kernel's
// notifications to the parent.
const (
	confineVerb = "--confine--"
	confineFD   = 3
)

// fileLimit bounds what a run may write into one file, far above any trial's output.
const fileLimit = 1 << 30

// confine does not return on success. args are the limit of the address space in bytes,
// "nohup" or "-", the program, and its arguments.
func confine(args []string) error {
	space, err := strconv.ParseUint(args[0], 10, 64)
	if err != nil {
		return err
	}
	for resource, limit := range map[int]uint64{unix.RLIMIT_AS: space, unix.RLIMIT_CORE: 0, unix.RLIMIT_FSIZE: fileLimit} {
		if err := syscall.Setrlimit(resource, &syscall.Rlimit{Cur: limit, Max: limit}); err != nil {
			return fmt.Errorf("setting a limit: %w", err)
		}
	}
	if args[1] == "nohup" {
		signal.Ignore(syscall.SIGHUP) // ignored signals stay ignored after exec
	}
	runtime.LockOSThread() // the filter holds for the thread that becomes carve
	listener, err := watchSockets()
	if err != nil {
		return fmt.Errorf("having sockets watched: %w", err)
	}
	if err := unix.Sendmsg(confineFD, []byte{0}, unix.UnixRights(listener), nil, 0); err != nil {
		return fmt.Errorf("handing over the watch on sockets: %w", err)
	}
	unix.Close(listener)
	unix.Close(confineFD)
	return syscall.Exec(args[2], args[2:], os.Environ())
}

// watchSockets installs a filter that notifies a listener of every call of socket(2),
// and returns the listener.
func watchSockets() (int, error) {
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the number of the call
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 0, Jf: 1, K: unix.SYS_SOCKET},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_USER_NOTIF},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return 0, err
	}
	fd, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER,
		unix.SECCOMP_FILTER_FLAG_NEW_LISTENER, uintptr(unsafe.Pointer(&program)))
	if errno != 0 {
		return 0, errno
	}
	return int(fd), nil
}
