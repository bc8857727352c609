package main

import "golang.org/x/sys/unix"

// readHost queries the kernel.
func readHost() host {
	var h host
	if v, err := unix.Sysctl("kern.osproductversion"); err == nil {
		h.system = "macOS " + v
	}
	h.cpu, _ = unix.Sysctl("machdep.cpu.brand_string") // empty is unknown
	return h
}
