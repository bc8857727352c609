package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/carve-video/carve/internal/golden"
)

// An outcome is the result of a test in one run.
type outcome struct {
	Package string `json:"package"`
	Test    string `json:"test"`
	Action  string `json:"action"` // "pass", "skip" or "fail"
	Reason  string `json:"reason,omitempty"`
}

// write writes the outcomes, one a line.
func (p *printer) write(to io.Writer) error {
	w := bufio.NewWriter(to)
	enc := json.NewEncoder(w)
	for _, o := range p.ended {
		if err := enc.Encode(o); err != nil {
			return err
		}
	}
	return w.Flush()
}

// summarize prints which tests were skipped in all runs of a record.
func summarize(record string, to io.Writer) error {
	file, err := os.Open(record)
	if err != nil {
		return err
	}
	defer file.Close()
	why, ran := map[testName]string{}, map[testName]bool{}
	for in := json.NewDecoder(file); ; {
		var o outcome
		if err := in.Decode(&o); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("reading %s: %w", record, err)
		}
		t := testName{o.Package, o.Test}
		if o.Action != "skip" {
			ran[t] = true
		} else if _, ok := why[t]; !ok {
			why[t] = o.Reason
		}
	}
	skipped, shared, reasons := 0, 0, map[string]int{}
	for t, reason := range why {
		if ran[t] {
			continue // not part of the race detector's run, but of another
		}
		skipped++
		if strings.HasPrefix(reason, golden.Missing) {
			shared++
			continue
		}
		reasons[reason]++
	}
	_, err = io.WriteString(to, report(skipped, shared, reasons))
	return err
}

func report(skipped, shared int, reasons map[string]int) string {
	if skipped == 0 {
		return "no test was skipped\n"
	}
	text := fmt.Sprintf("%d tests were skipped, %d for want of ../shared\n", skipped, shared)
	if skipped == 1 {
		text = fmt.Sprintf("1 test was skipped, %d for want of ../shared\n", shared)
	}
	var lines []string
	for reason, n := range reasons {
		lines = append(lines, fmt.Sprintf("%5d: %s\n", n, reason))
	}
	slices.Sort(lines)
	slices.Reverse(lines) // the most frequent first
	return text + strings.Join(lines, "")
}
