// Package limits says what the machine, the container and the shell let a process
// have: memory and threads.
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

// A Limit is how much there is of something, and what sets it.
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

// Machine is how many bytes of memory this machine has.
func Machine() Limit { return machine() }

// Memory is how many bytes this process may use at most: what the machine has, or less
// where the container or the shell allows less.
func Memory() Limit { return memory() }

// AddressSpace is how many bytes this process may have mapped at a time. Most of what is
// mapped is never used, so that it is no measure of memory, but it runs out all the same.
func AddressSpace() Limit { return addressSpace() }

// Threads is how many threads this process may still start. It is not known where nothing
// limits them.
func Threads() Limit { return threads() }

// The parts of /proc and /sys are read through an [fs.FS], so that tests can bring
// their own.

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

// groupMemory is the smallest limit of the process's control group and of those
// that it lies in.
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

// groupThreads is how many more threads the control groups allow.
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

// groups are the folders of the process's control group and of all above it, for one
// controller, in either version. In a container the group that the process is told of
// may lie outside of what is mounted: then the mount itself is its group.
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

// number reads a limit as control groups write it; "max" and numbers near the
// largest are none.
func number(text string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
	return n, err == nil && n > 0 && n < 1<<60
}
