package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// An event is an event of go test -json ("go doc test2json").
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// A testName is a test or a subtest.
type testName struct{ pkg, name string }

// A printer prints events as go test does without -json and -v: a line for each
// package, and the output of failed tests.
type printer struct {
	to io.Writer

	mu       sync.Mutex
	said     map[testName][]string // output of tests that have not ended
	ended    []outcome
	began    time.Time
	lastLine time.Time
}

func newPrinter(to io.Writer) *printer {
	now := time.Now()
	return &printer{to: to, said: map[testName][]string{}, began: now, lastLine: now}
}

// line takes in a line of go test's output.
func (p *printer) line(line []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var e event
	if err := json.Unmarshal(line, &e); err != nil || e.Action == "" {
		p.print(string(line)) // output of a program that go test runs, or of a build
		return
	}
	if e.Test == "" {
		p.packageEvent(e)
		return
	}
	t := testName{e.Package, e.Test}
	switch e.Action {
	case "run":
		p.said[t] = nil
	case "output":
		if !aboutRunning(e.Output) {
			p.said[t] = append(p.said[t], e.Output)
		}
	case "pass", "skip", "fail":
		if e.Action == "fail" {
			p.print(p.said[t]...)
		}
		o := outcome{Package: t.pkg, Test: t.name, Action: e.Action}
		if e.Action == "skip" {
			o.Reason = reason(p.said[t])
		}
		p.ended = append(p.ended, o)
		delete(p.said, t)
	}
}

// packageEvent handles an event that belongs to no single test.
func (p *printer) packageEvent(e event) {
	switch e.Action {
	case "output", "build-output":
		if e.Output != "PASS\n" && e.Output != "testing: warning: no tests to run\n" {
			p.print(e.Output)
		}
	case "fail":
		// Tests that were interrupted by a crash or a time-out.
		for _, t := range p.running() {
			if t.pkg == e.Package {
				p.print(p.said[t]...)
				delete(p.said, t)
			}
		}
	}
}

func (p *printer) running() []testName {
	return slices.SortedFunc(maps.Keys(p.said), func(a, b testName) int {
		return strings.Compare(a.pkg+" "+a.name, b.pkg+" "+b.name)
	})
}

func (p *printer) print(texts ...string) {
	for _, text := range texts {
		io.WriteString(p.to, text)
		p.lastLine = time.Now()
	}
}

// everySoOften prints the running tests whenever nothing has been printed for d, until
// stop is called.
func (p *printer) everySoOften(d time.Duration) (stop func()) {
	ticker, done := time.NewTicker(d/4), make(chan struct{})
	go func() {
		for {
			select {
			case <-ticker.C:
				p.stillRunning(d)
			case <-done:
				return
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(done)
	}
}

func (p *printer) stillRunning(silence time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.lastLine) < silence {
		return
	}
	what := "compiling"
	if list := p.running(); len(list) > 0 {
		what = "running " + list[len(list)-1].name
		if len(list) > 1 {
			what += fmt.Sprintf(" and %d more", len(list)-1)
		}
	}
	p.print(fmt.Sprintf("… %s (%v so far)\n", what, time.Since(p.began).Round(time.Second)))
}

// aboutRunning reports whether only -v prints this line.
func aboutRunning(line string) bool {
	for _, mark := range []string{"=== RUN ", "=== PAUSE ", "=== CONT ", "=== NAME "} {
		if strings.HasPrefix(line, mark) {
			return true
		}
	}
	return false
}

// reason returns why a test was skipped: its last output line before the verdict.
func reason(said []string) string {
	for _, line := range slices.Backward(said) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "--- SKIP") {
			continue
		}
		// "file_test.go:12: why"
		if place, why, ok := strings.Cut(line, ": "); ok && strings.Contains(place, ".go:") {
			return why
		}
		return line
	}
	return "no reason given"
}
