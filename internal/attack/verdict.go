//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Exit codes of the README.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitLost        = 3
	exitInterrupted = 130
)

// verdict returns all findings that do not depend on what was tried: how the run ended,
// what it printed, and what files it left.
func verdict(x *experiment, o *outcome, limits limits) []finding {
	return slices.Concat(checkEnd(x, o, limits), checkMessages(x, o), checkFiles(x, o), checkExitCode(x, o))
}

// dump matches what a crash prints: Go's messages and those of the C library.
var dump = regexp.MustCompile(`(?m)^panic:|^fatal error:|^goroutine \d+ |SIGSEGV|SIGABRT|SIGBUS|^terminate called|stack smashing|double free|corrupted size`)

func checkEnd(x *experiment, o *outcome, limits limits) (all []finding) {
	switch {
	case o.late:
		all = append(all, newFinding(hang, "still running after %v", limits.time))
	case o.signal != 0 && !slices.Contains(x.sent, o.signal):
		all = append(all, newFinding(crash, "ended by %v", o.signal))
	case o.signal == 0 && !slices.Contains([]int{exitDone, exitFailed, exitUsage, exitLost, exitInterrupted}, o.code):
		all = append(all, newFinding(crash, "exit code %d, which is none that is documented", o.code))
	case o.signal == 0 && len(x.codes) > 0 && !slices.Contains(x.codes, o.code):
		all = append(all, newFinding(other, "exit code %d; right is one of %v", o.code, x.codes))
	}
	if at := dump.FindIndex(o.stderr); at != nil {
		all = append(all, newFinding(crash, "stderr has the dump of a crash: %q", firstLine(o.stderr[at[0]:])))
	}
	if o.memory > limits.memory {
		all = append(all, newFinding(other, "took %d MB of memory, above %d", o.memory>>20, limits.memory>>20))
	}
	if len(o.sockets) > 0 {
		all = append(all, newFinding(socket, "opened %s", strings.Join(o.sockets, ", ")))
	}
	return all
}

// checkMessages finds faults in the messages.
func checkMessages(x *experiment, o *outcome) (all []finding) {
	inJSON := slices.Contains(x.args, "--log-format=json")
	if !x.closed && !o.late && o.signal == 0 {
		want := map[int]string{exitFailed: "error", exitUsage: "error", exitLost: "warning"}[o.code]
		if want != "" && !says(o.stderr, want, inJSON) {
			all = append(all, newFinding(crash, "exit code %d without a line of kind %q on stderr", o.code, want))
		}
	}
	for _, s := range []struct {
		name string
		text []byte
	}{{"stdout", o.stdout}, {"stderr", o.stderr}} {
		if c, ok := control(s.text); ok {
			all = append(all, newFinding(other, "%s has the control character %U", s.name, c))
		}
	}
	if inJSON {
		for line := range bytes.Lines(o.stderr) {
			if !json.Valid(line) {
				all = append(all, newFinding(other, "with --log-format json stderr has %q", firstLine(line)))
				break
			}
		}
	}
	return all
}

// says tells whether a message of a kind is on stderr.
func says(stderr []byte, kind string, inJSON bool) bool {
	for line := range bytes.Lines(stderr) {
		if !inJSON && bytes.HasPrefix(line, []byte("carve: "+kind+": ")) {
			return true
		}
		var message struct {
			Kind string `json:"message_type"`
		}
		if inJSON && json.Unmarshal(line, &message) == nil && message.Kind == kind {
			return true
		}
	}
	return false
}

// control finds a character that a terminal acts on.
func control(text []byte) (rune, bool) {
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && n == 1 {
			r = rune(text[0]) // a single byte
		}
		if r < ' ' && r != '\n' && r != '\t' || r >= 0x7f && r < 0xa0 {
			return r, true
		}
		text = text[n:]
	}
	return 0, false
}

// temporary matches the names of unfinished files.
var temporary = regexp.MustCompile(`^\.|\bpart\b|^building-|~$`)

// checkFiles finds files that should not be there, and changes to the user's files.
func checkFiles(x *experiment, o *outcome) (all []finding) {
	var stray []string
	for _, name := range o.before.added(o.after) {
		place, rest, _ := strings.Cut(name, "/")
		base := filepath.Base(name)
		switch {
		case place == workDir && x.isOutput(rest):
		case place == cacheDir && !temporary.MatchString(base):
		case x.killed && temporary.MatchString(base):
		case x.killed && place == tmpDir:
		case o.after[name].mode.IsDir() && place == homeDir && x.killed:
		default:
			stray = append(stray, name)
		}
	}
	if stray = outermost(stray); len(stray) > 0 {
		all = append(all, newFinding(leftover, "left %q behind", stray))
	}
	for _, name := range o.before.changed(o.after) {
		place, rest, _ := strings.Cut(name, "/")
		if place == workDir && !x.isOutput(rest) && !slices.Contains(x.replaces, rest) {
			what := "changed"
			if _, ok := o.after[name]; !ok {
				what = "removed"
			}
			all = append(all, newFinding(other, "the user's %q was %s", rest, what))
		}
	}
	return all
}

// outermost leaves out the names below a folder that is itself in the sorted list.
func outermost(names []string) (outer []string) {
	for _, name := range names {
		if len(outer) == 0 || !strings.HasPrefix(name, outer[len(outer)-1]+"/") {
			outer = append(outer, name)
		}
	}
	return outer
}

// isOutput tells whether the command line names a file as an output, or as one whose
// folder had to be made.
func (x *experiment) isOutput(name string) bool {
	for _, out := range append([]string{x.output}, x.extraOutputs...) {
		if out != "" && (name == strings.TrimSuffix(out, "/") || strings.HasPrefix(out, name+"/") ||
			strings.HasSuffix(out, "/") && strings.HasPrefix(name, out)) {
			return true
		}
	}
	return false
}

// checkExitCode finds exit codes that do not match the output.
func checkExitCode(x *experiment, o *outcome) (all []finding) {
	if x.output == "" || o.late || o.signal != 0 {
		return nil
	}
	name := filepath.Join(workDir, x.output)
	before, was := o.before[name]
	after, is := o.after[name]
	switch o.code {
	case exitDone, exitLost:
		if !is {
			return append(all, newFinding(leftover, "exit code %d and no output", o.code))
		}
	case exitFailed, exitUsage:
		switch {
		case is && !was:
			all = append(all, newFinding(leftover, "exit code %d beside the output %q", o.code, x.output))
		case was && before != after:
			all = append(all, newFinding(other, "exit code %d, and what was under the name of the output is no longer", o.code))
		}
	}
	// An output that was never begun cannot be read.
	if r := o.output; r != nil && is && after.mode.IsRegular() && after.mode&fs.ModeSymlink == 0 && before != after {
		damaged := r.all
		if o.code == 3 {
			// Damaged packets of copied sound are kept as they are, and the exit code
			// says so.
			damaged = slices.Concat(r.early, r.decoder, r.demuxer)
		}
		switch {
		case r.frames == 0:
			all = append(all, newFinding(leftover, "nothing can be decoded from the output: %s", strings.Join(r.all, "; ")))
		case len(damaged) > 0:
			all = append(all, newFinding(leftover, "the output is damaged: %s", strings.Join(damaged, "; ")))
		}
	}
	return all
}

func firstLine(b []byte) string {
	line, _, _ := bytes.Cut(bytes.TrimSpace(b), []byte("\n"))
	return string(line[:min(len(line), 200)])
}
