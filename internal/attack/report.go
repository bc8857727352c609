//go:build linux

package main

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"text/tabwriter"
	"time"
)

// A tally counts the results of the trials of one kind.
type tally struct {
	tried, skipped int          // skipped: not possible on this machine
	failed         int          // could not be made, although possible
	codes          map[int]int  // of runs, by exit code or negative signal
	counts         [classes]int // trials with a finding of the class
	took           time.Duration
	memory         int64
}

// A report adds up the results.
type report struct {
	mu      sync.Mutex
	kinds   []string // in order of their first trial
	tallies map[string]*tally
}

func newReport() *report { return &report{tallies: map[string]*tally{}} }

func (r *report) tally(kind string) *tally {
	t, ok := r.tallies[kind]
	if !ok {
		t = &tally{codes: map[int]int{}}
		r.tallies[kind] = t
		r.kinds = append(r.kinds, kind)
	}
	return t
}

func (r *report) skip(kind string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tally(kind).skipped++
}

func (r *report) fail(kind string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tally(kind).failed++
}

// enter counts a trial once in every class in which it has a finding.
func (r *report) enter(t *trial, o *outcome, findings []finding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	y := r.tally(t.kind)
	y.tried++
	y.took += o.took
	y.memory = max(y.memory, o.memory)
	if o.signal == 0 {
		y.codes[o.code]++
	} else {
		y.codes[-int(o.signal)]++
	}
	var seen [classes]bool
	for _, f := range findings {
		if !seen[f.class] {
			seen[f.class] = true
			y.counts[f.class]++
		}
	}
}

// clean tells whether trials were run, none failed to be made, and none had a finding.
func (r *report) clean() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	tried := 0
	for _, t := range r.tallies {
		if t.counts != [classes]int{} || t.failed > 0 {
			return false
		}
		tried += t.tried
	}
	return tried > 0
}

// print writes the table.
func (r *report) print(w io.Writer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(table, "kind\tinputs tried\t")
	for c := range classes {
		fmt.Fprintf(table, "%v\t", c)
	}
	fmt.Fprintln(table, "not tried\ts a run\tmost MB\t exit codes\t")
	row := func(name string, t *tally) {
		fmt.Fprintf(table, "%s\t%d\t", name, t.tried)
		for _, n := range t.counts {
			fmt.Fprintf(table, "%d\t", n)
		}
		var codes []string
		for _, code := range slices.Sorted(maps.Keys(t.codes)) {
			codes = append(codes, fmt.Sprintf("%d×%d", t.codes[code], code))
		}
		fmt.Fprintf(table, "%d\t%.2f\t%d\t %s\t\n", t.skipped+t.failed, t.took.Seconds()/float64(max(t.tried, 1)), t.memory>>20, strings.Join(codes, " "))
	}
	all := &tally{codes: map[int]int{}}
	for _, kind := range r.kinds {
		t := r.tallies[kind]
		row(kind, t)
		all.tried, all.skipped, all.failed = all.tried+t.tried, all.skipped+t.skipped, all.failed+t.failed
		all.took, all.memory = all.took+t.took, max(all.memory, t.memory)
		for c, n := range t.counts {
			all.counts[c] += n
		}
		for code, n := range t.codes {
			all.codes[code] += n
		}
	}
	row("all", all)
	table.Flush()
}

// save keeps the folder of a trial, and how to repeat it.
func (b *bench) save(t *trial, l *lab, x *experiment, o *outcome, findings []finding) error {
	if b.keep == "" {
		return nil
	}
	to := filepath.Join(b.keep, filepath.Base(l.root))
	discard(to)
	if err := os.Rename(l.root, to); err != nil {
		return fmt.Errorf("keeping what was found: %w", err)
	}
	var s strings.Builder
	fmt.Fprintf(&s, "%s (seed %d): %s\n", t.name(), b.seed, x.about)
	for _, f := range findings {
		fmt.Fprintf(&s, "  %v: %s\n", f.class, f.text)
	}
	fmt.Fprintf(&s, "  again: scripts/env.sh go run ./internal/attack -seed %d -only %s\n", b.seed, t.name())
	fmt.Fprintf(&s, "  or: cd %s && %s\n", quote(filepath.Join(to, workDir)), commandLine(b.binary, x.args))
	fmt.Fprintf(&s, "  exit code %d, signal %d, %.1f s, %d MB\n", o.code, o.signal, o.took.Seconds(), o.memory>>20)
	b.mu.Lock()
	defer b.mu.Unlock()
	list, err := os.OpenFile(filepath.Join(b.keep, "findings.txt"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("keeping what was found: %w", err)
	}
	defer list.Close()
	if _, err := list.WriteString(s.String()); err != nil {
		return fmt.Errorf("keeping what was found: %w", err)
	}
	for name, text := range map[string][]byte{"stdout.txt": o.stdout, "stderr.txt": o.stderr} {
		if err := os.WriteFile(filepath.Join(to, name), text, 0o644); err != nil {
			return fmt.Errorf("keeping what was found: %w", err)
		}
	}
	return nil
}

// commandLine formats a command for a shell.
func commandLine(program string, args []string) string {
	words := []string{quote(program)}
	for _, a := range args {
		if len(a) > 500 {
			a = a[:500] + "…"
		}
		words = append(words, quote(a))
	}
	return strings.Join(words, " ")
}

func quote(s string) string {
	for _, r := range s {
		if r < ' ' || r == 0x7f || r == 0xfffd {
			return "$" + strings.ReplaceAll(fmt.Sprintf("'%s'", escape(s)), "\n", `\n`)
		}
	}
	if s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_=./:,") == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// escape writes characters that a terminal or shell would act on in the form $'…'.
func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c == '\'' || c == '\\':
			b.WriteString(`\` + string(c))
		case c < ' ' || c >= 0x7f:
			fmt.Fprintf(&b, `\x%02x`, c)
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
