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

// An event is one of those that go test -json prints ("go doc test2json").
type event struct {
	Action  string
	Package string
	Test    string
	Output  string
}

// A testName is a test or a part of one.
type testName struct{ pkg, name string }

// A printer prints of the events what go test prints without -json and -v: a line for
// each package, and of tests what those that failed said.
type printer struct {
	to io.Writer

	mu       sync.Mutex
	said     map[testName][]string // by tests that have not ended
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
		p.print(string(line)) // of a program that go test runs, or a build's
		return
	}
	if e.Test == "" {
		p.ofPackage(e)
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

// ofPackage takes in an event that is of no one test.
func (p *printer) ofPackage(e event) {
	switch e.Action {
	case "output", "build-output":
		if e.Output != "PASS\n" && e.Output != "testing: warning: no tests to run\n" {
			p.print(e.Output)
		}
	case "fail":
		// Tests that a crash or a time-out broke off.
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

// everySoOften says what runs when nothing has been printed for so long, until it is
// told to stop.
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

// aboutRunning tells lines that only -v prints.
func aboutRunning(line string) bool {
	for _, mark := range []string{"=== RUN ", "=== PAUSE ", "=== CONT ", "=== NAME "} {
		if strings.HasPrefix(line, mark) {
			return true
		}
	}
	return false
}

// reason is what a test said when it was skipped: its last line but the verdict.
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
