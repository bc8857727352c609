// Package hostile has texts and archives that are made to cost a reader much time or
// memory, and checks readers against bounds. It is for tests.
package hostile

import (
	"maps"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Bounds limit the cost of reading one text. They are several times what was measured
// on two slow cores; without protection the cost would be hundreds of times as much.
type Bounds struct {
	Time  time.Duration // of processors, because a busy machine takes longer
	Alloc int64         // bytes allocated in total, most of them garbage by then
}

// Usual are the bounds for texts of up to a megabyte.
var Usual = Bounds{Time: 5 * time.Second, Alloc: 320 << 20}

// processorTime is how much time the process has spent on processors.
func processorTime(t *testing.T) time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// Hold passes every text to a reader and checks the bounds. It ignores what the reader
// returns, except that errors must be short, of one line, and without terminal
// controls.
func (b Bounds) Hold(t *testing.T, texts map[string]string, read func(text string) error) {
	t.Helper()
	for _, name := range slices.Sorted(maps.Keys(texts)) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		began := processorTime(t)
		err := read(texts[name])
		took := processorTime(t) - began
		runtime.ReadMemStats(&after)
		alloc := int64(after.TotalAlloc - before.TotalAlloc)
		if took > b.Time || alloc > b.Alloc {
			t.Errorf("%s, %d bytes: %.1f s, %d MB: %.90v", name, len(texts[name]), took.Seconds(), alloc>>20, err)
		} else if testing.Verbose() && (took > b.Time/10 || alloc > b.Alloc/3) {
			t.Logf("%s, %d bytes: %.1f s, %d MB: %.90v", name, len(texts[name]), took.Seconds(), alloc>>20, err)
		}
		if err == nil {
			continue
		}
		if s := err.Error(); len(s) > 1000 || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) {
			t.Errorf("%s: the error is %d bytes long: %.200q", name, len(s), s)
		}
	}
}
