//go:build linux

package main

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The kernel's notification of a call, and the answer: struct seccomp_notif and struct
// seccomp_notif_resp.
type (
	question struct {
		id    uint64
		pid   uint32
		flags uint32
		nr    int32
		arch  uint32
		ip    uint64
		args  [6]uint64
	}
	answer struct {
		id    uint64
		val   int64
		error int32
		flags uint32
	}
)

// receiveListener receives the listener that confine sends.
func receiveListener(conn int) (int, error) {
	oob := make([]byte, unix.CmsgSpace(4))
	var b [1]byte
	n, oobn, _, _, err := unix.Recvmsg(conn, b[:], oob, unix.MSG_CMSG_CLOEXEC)
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, errors.New("the run could not be confined")
	}
	messages, err := unix.ParseSocketControlMessage(oob[:oobn])
	if err != nil {
		return 0, err
	}
	if len(messages) == 0 {
		return 0, errors.New("no listener was handed over")
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return 0, err
	}
	return fds[0], nil
}

// refuseSockets answers every notification with "permission denied", so that nothing
// leaves the machine, until the run ends. It returns the sockets that were requested.
func refuseSockets(listener int) (opened []string) {
	defer unix.Close(listener)
	for {
		polled := []unix.PollFd{{Fd: int32(listener), Events: unix.POLLIN}}
		if _, err := unix.Poll(polled, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return opened
		}
		if polled[0].Revents&unix.POLLIN == 0 {
			if polled[0].Revents != 0 { // no process is left under the filter
				return opened
			}
			continue
		}
		var q question
		if err := ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_RECV, unsafe.Pointer(&q)); err != nil {
			continue // the calling thread has died
		}
		opened = append(opened, socketName(q.args[0], q.args[1]))
		a := answer{id: q.id, error: -int32(unix.EACCES)}
		ioctl(listener, unix.SECCOMP_IOCTL_NOTIF_SEND, unsafe.Pointer(&a)) // fails if the thread has died
	}
}

func ioctl(fd int, request uintptr, p unsafe.Pointer) error {
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(p)); errno != 0 {
		return errno
	}
	return nil
}

var families = map[uint64]string{
	unix.AF_UNIX: "unix", unix.AF_INET: "inet", unix.AF_INET6: "inet6", unix.AF_NETLINK: "netlink", unix.AF_PACKET: "packet",
}

var socketTypes = map[uint64]string{
	unix.SOCK_STREAM: "stream", unix.SOCK_DGRAM: "dgram", unix.SOCK_RAW: "raw",
}

func socketName(family, kind uint64) string {
	name, ok := families[family]
	if !ok {
		name = fmt.Sprintf("family %d", family)
	}
	if t, ok := socketTypes[kind&0xf]; ok {
		name += " " + t
	}
	return name
}

// socketPair makes the connection between a run and its parent.
func socketPair() (ours int, theirs *os.File, err error) {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, nil, err
	}
	return pair[0], os.NewFile(uintptr(pair[1]), "confine"), nil
}
