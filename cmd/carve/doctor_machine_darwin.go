package main

import "golang.org/x/sys/unix"

// readHost asks the kernel.
func readHost() host {
	var h host
	if v, err := unix.Sysctl("kern.osproductversion"); err == nil {
		h.system = "macOS " + v
	}
	h.cpu, _ = unix.Sysctl("machdep.cpu.brand_string") // empty is unknown
	if n, err := unix.SysctlUint64("hw.memsize"); err == nil {
		h.memory = int64(n)
	}
	return h
}
