package main

import (
	"bufio"
	"os"
	"strconv"
	"strings"
)

// peakMemory is the most that the process ever had resident, in bytes, or since
// resetPeakMemory. It is read from /proc, and 0 where there is none (Linux has).
func peakMemory() int64 {
	kb, _ := strconv.ParseInt(strings.TrimSuffix(procField("/proc/self/status", "VmHWM"), " kB"), 10, 64)
	return kb << 10
}

// resetPeakMemory does what it can: a kernel that does not let it goes on
// counting from the start.
func resetPeakMemory() {
	_ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0)
}

// procField is the first value of a name in a file of lines "name : value",
// empty where there is no such file.
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
