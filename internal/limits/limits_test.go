package limits

import (
	"testing"
	"testing/fstest"
)

func TestMemory(t *testing.T) {
	files := func(kv ...string) fstest.MapFS {
		m := fstest.MapFS{"proc/meminfo": {Data: []byte("MemTotal:       16384000 kB\nMemFree: 1 kB\n")}}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i]] = &fstest.MapFile{Data: []byte(kv[i+1])}
		}
		return m
	}
	for name, c := range map[string]struct {
		root fstest.MapFS
		want Limit
	}{
		"machine":    {files(), Limit{16384000 << 10, "this machine"}},
		"nothing":    {fstest.MapFS{}, Limit{}},
		"v2":         {files("proc/self/cgroup", "0::/\n", "sys/fs/cgroup/memory.max", "1000000\n"), Limit{1000000, "the container"}},
		"v2 none":    {files("proc/self/cgroup", "0::/\n", "sys/fs/cgroup/memory.max", "max\n"), Limit{16384000 << 10, "this machine"}},
		"v2 above":   {files("proc/self/cgroup", "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max", "3000000", "sys/fs/cgroup/a/memory.max", "2000000"), Limit{2000000, "the container"}},
		"v2 outside": {files("proc/self/cgroup", "0::/../../x\n", "sys/fs/cgroup/memory.max", "1000000"), Limit{1000000, "the container"}},
		"v1": {files("proc/self/cgroup", "5:cpu,cpuacct:/\n4:memory:/docker/7\n",
			"sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712",
			"sys/fs/cgroup/memory/docker/7/memory.limit_in_bytes", "4000000"), Limit{4000000, "the container"}},
		"no proc": {fstest.MapFS{"sys/fs/cgroup/memory.max": {Data: []byte("77")}}, Limit{77, "the container"}},
		"larger":  {files("proc/self/cgroup", "0::/\n", "sys/fs/cgroup/memory.max", "99999999999999\n"), Limit{16384000 << 10, "this machine"}},
	} {
		if got := least(machineMemory(c.root), groupMemory(c.root)); got != c.want {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}

func TestThreads(t *testing.T) {
	root := fstest.MapFS{
		"proc/self/cgroup":             {Data: []byte("0::/a\n")},
		"sys/fs/cgroup/a/pids.max":     {Data: []byte("100\n")},
		"sys/fs/cgroup/a/pids.current": {Data: []byte("30\n")},
		"sys/fs/cgroup/pids.max":       {Data: []byte("max\n")},
	}
	if got := groupThreads(root); got != (Limit{70, "the container"}) {
		t.Errorf("%+v", got)
	}
	root["sys/fs/cgroup/a/pids.current"].Data = []byte("100\n")
	if got := groupThreads(root); got.N != 1 {
		t.Errorf("%+v where all are in use", got)
	}
	if got := groupThreads(fstest.MapFS{}); got.Known() {
		t.Errorf("%+v without any", got)
	}
}

// The limits of this process can be read and are plausible.
func TestHere(t *testing.T) {
	if m := Memory(); m.Known() && (m.N < 1<<20 || Machine().Known() && m.N > Machine().N) {
		t.Errorf("%+v, and the machine has %+v", m, Machine())
	}
	if a := AddressSpace(); a.Known() && a.N < 1<<20 {
		t.Errorf("%+v", a)
	}
	if n := Threads(); n.Known() && n.N < 1 {
		t.Errorf("%+v", n)
	}
}
