package main

import "os"

// readHost reads the kernel's files. A missing file, as in a sandbox, leaves its fields
// empty.
func readHost() host {
	read := func(paths ...string) string {
		for _, p := range paths {
			if b, err := os.ReadFile(p); err == nil {
				return string(b)
			}
		}
		return ""
	}
	var h host
	h.system = parseOSRelease(read("/etc/os-release", "/usr/lib/os-release"))
	h.cpu, h.flags = parseCPUInfo(read("/proc/cpuinfo"))
	h.available = parseAvailable(read("/proc/meminfo"))
	return h
}
