package main

import (
	"bufio"
	"os"
	"strconv"
	"strings"
)

// peakMemory returns the peak resident memory of the process in bytes, since it started
// or since resetPeakMemory. It is read from /proc; on systems without /proc it is 0.
func peakMemory() int64 {
	kb, _ := strconv.ParseInt(strings.TrimSuffix(procField("/proc/self/status", "VmHWM"), " kB"), 10, 64)
	return kb << 10
}

// resetPeakMemory resets the peak. If the kernel does not allow that, the peak stays
// that since the start.
func resetPeakMemory() {
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

// procField returns the first value of a name in a file of lines "name : value", or ""
// if there is no such file.
func procField(path, name string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if key, value, ok := strings.Cut(lines.Text(), ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
