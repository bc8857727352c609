package ui

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

// TestProgressWithoutTerminal: a line is printed from time to time, and none at the
// end.
func TestProgressWithoutTerminal(t *testing.T) {
	var out, errs bytes.Buffer
	p := NewProgress("auto", 3, &out, &errs)
	p.Frame(0, 1e9, []string{"dog"})
	if errs.Len() > 0 {
		t.Errorf("after the first frame there is %q", &errs)
	}
	p.shown = p.shown.Add(-quietInterval)
	p.Frame(1e9, 2e9, []string{"dog", "a\x1b[2J"})
	p.Frame(2e9, 3e9, nil)
	p.Done()
	lines := slices.Collect(strings.Lines(errs.String()))
	if want := "frame 2/3  0:01.0  1.0 fps  ETA 0:01.0  dog, a\\u001b[2J\n"; len(lines) != 1 || lines[0] != want {
		t.Errorf("it is %q, want %q", lines, want)
	}
	if out.Len() > 0 {
		t.Errorf("on standard output there is %q", &out)
	}
}
