package ui

import (
	"fmt"
	"strings"
	"time"

	"github.com/carve-video/carve/internal/plural"
)

// Clock formats a time as it is usually shown for a video: 0:04.2, 1:02:03.
func Clock(d time.Duration) string {
	if d < 0 {
		return "-" + Clock(-d)
	}
	d = d.Round(100 * time.Millisecond)
	s := d.Seconds()
	if d >= time.Hour {
		return fmt.Sprintf("%d:%02d:%02d", int(s)/3600, int(s)/60%60, int(s)%60)
	}
	return fmt.Sprintf("%d:%04.1f", int(s)/60, s-float64(int(s)/60*60))
}

// OneLine turns a text into one line with single spaces.
func OneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// Counted is a number of things: 1 frame, 2 frames.
func Counted(n int, what string) string { return plural.Of(n, what) }

// Plural is [Counted] for words of another plural: 1 query, 2 queries.
func Plural(n int, one, many string) string { return plural.Irregular(n, one, many) }
