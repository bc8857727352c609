package limits

import (
	"math"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

func machine() Limit { return machineMemory(os.DirFS("/")) }

func memory() Limit {
	l := least(machine(), groupMemory(os.DirFS("/")))
	return least(l, resource(unix.RLIMIT_DATA, "ulimit -d"))
}

func addressSpace() Limit { return resource(unix.RLIMIT_AS, "ulimit -v") }

func threads() Limit {
	l := groupThreads(os.DirFS("/"))
	// Root has no limit. For others all threads of the user count, in all processes.
	if os.Geteuid() == 0 {
		return l
	}
	most := resource(unix.RLIMIT_NPROC, "ulimit -u")
	if most.Known() {
		most.N = max(most.N-userThreads(), 1)
	}
	return least(l, most)
}

func resource(which int, by string) Limit {
	var r unix.Rlimit
	if unix.Getrlimit(which, &r) != nil || r.Cur >= math.MaxInt64 {
		return Limit{}
	}
	return Limit{int64(r.Cur), by}
}

// userThreads counts the threads of the user's processes, as far as they are visible.
func userThreads() (n int64) {
	list, err := os.ReadDir("/proc")
	if err != nil {
		return 0
	}
	uid := uint32(os.Getuid())
	for _, e := range list {
		if strings.Trim(e.Name(), "0123456789") != "" {
			continue
		}
		var st unix.Stat_t
		if unix.Stat("/proc/"+e.Name(), &st) != nil || st.Uid != uid {
			continue
		}
		if tasks, err := os.ReadDir("/proc/" + e.Name() + "/task"); err == nil {
			n += int64(len(tasks))
		}
	}
	return n
}
