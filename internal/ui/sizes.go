package ui

import (
	"fmt"
	"strings"
)

// Megabytes formats a size: 351 MB, 1.5 MB.
func Megabytes(n int64) string {
	if n < 10e6 {
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.0f MB", float64(n)/1e6)
}

// Gigabytes formats a size: 8 GB, 1.5 GB.
func Gigabytes(n int64) string {
	return strings.Replace(fmt.Sprintf("%.1f GB", float64(n)/1e9), ".0 GB", " GB", 1)
}

// SizeRoundedUp formats a size, rounded up, in a suitable unit.
func SizeRoundedUp(n int64) string {
	switch {
	case n < 1e3:
		return fmt.Sprintf("%d B", n)
	case n < 1e6:
		return fmt.Sprintf("%d kB", (n+1e3-1)/1e3)
	case n < 1e9:
		return fmt.Sprintf("%d MB", (n+1e6-1)/1e6)
	}
	return Gigabytes((n + 1e8 - 1) / 1e8 * 1e8)
}
