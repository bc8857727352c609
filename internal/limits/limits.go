// Package limits reports how much memory and how many threads the machine, the
// container and the shell allow a process.
package limits

import (
	"bufio"
	"io/fs"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A Limit is the amount of a resource, and what limits it.
type Limit struct {
	N  int64  // bytes, or threads
	By string // "this machine", "the container", "ulimit -v"
}

// Known tells whether there is a limit at all.
func (l Limit) Known() bool { return l.N > 0 && l.N < math.MaxInt64 }

// least returns the smaller of two limits.
func least(a, b Limit) Limit {
	if !b.Known() || a.Known() && a.N <= b.N {
		return a
	}
	return b
}

// Machine returns the memory of this machine in bytes.
func Machine() Limit { return machine() }

// Memory returns the memory that this process may use in bytes: that of the machine, or
// less if the container or the shell allows less.
func Memory() Limit { return memory() }

// AddressSpace returns how many bytes this process may have mapped. Most mapped memory
// is never used, so this is no measure of memory, but it can run out.
func AddressSpace() Limit { return addressSpace() }

// Threads returns how many more threads this process may start. It is unknown if there
// is no limit.
func Threads() Limit { return threads() }

// Files of /proc and /sys are read through an [fs.FS], so that tests can replace them.

func read(root fs.FS, name string) string {
	b, err := fs.ReadFile(root, strings.TrimPrefix(path.Clean(name), "/"))
	if err != nil {
		return "" // in a sandbox, or on a kernel without it
	}
	return string(b)
}

// machineMemory reads MemTotal.
func machineMemory(root fs.FS) Limit {
	lines := bufio.NewScanner(strings.NewReader(read(root, "proc/meminfo")))
	for lines.Scan() {
		rest, ok := strings.CutPrefix(lines.Text(), "MemTotal:")
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 64)
		if err != nil || n <= 0 || n > math.MaxInt64>>10 {
			break
		}
		return Limit{n << 10, "this machine"}
	}
	return Limit{}
}

// groupMemory returns the smallest limit of the process's control group and of the
// groups above it.
func groupMemory(root fs.FS) Limit {
	var l Limit
	for _, dir := range groups(root, "memory") {
		for _, name := range []string{"memory.max", "memory.limit_in_bytes"} {
			if n, ok := number(read(root, path.Join(dir, name))); ok {
				l = least(l, Limit{n, "the container"})
			}
		}
	}
	return l
}

// groupThreads returns how many more threads the control groups allow.
func groupThreads(root fs.FS) Limit {
	var l Limit
	for _, dir := range groups(root, "pids") {
		most, ok := number(read(root, path.Join(dir, "pids.max")))
		if !ok {
			continue
		}
		used, _ := number(read(root, path.Join(dir, "pids.current")))
		l = least(l, Limit{max(most-used, 1), "the container"})
	}
	return l
}

// groups returns the folders of the process's control group and of all above it, for
// one controller, in either version. In a container the reported group may lie outside
// of what is mounted: then the mount itself is the group.
func groups(root fs.FS, controller string) []string {
	var dirs []string
	for line := range strings.Lines(read(root, "proc/self/cgroup")) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		var mount string
		switch {
		case fields[1] == "":
			mount = "sys/fs/cgroup"
		case slices.Contains(strings.Split(fields[1], ","), controller):
			mount = path.Join("sys/fs/cgroup", controller)
		default:
			continue
		}
		for at := path.Join("/", fields[2]); at != "/"; at = path.Dir(at) {
			dirs = append(dirs, path.Join(mount, at))
		}
		dirs = append(dirs, mount)
	}
	if len(dirs) == 0 { // no /proc: the usual places
		dirs = []string{"sys/fs/cgroup", path.Join("sys/fs/cgroup", controller)}
	}
	return dirs
}

// number parses a limit of control groups; "max" and numbers near the largest mean no
// limit.
func number(text string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return n, err == nil && n > 0 && n < 1<<60
}
