// Package cstderr owns the standard error of the process.
//
// C libraries print on descriptor 2 as they please: encoders when they are set up, ONNX
// Runtime when something fails, the C library when memory is damaged. Between the lines
// of a program that promises one JSON object a line, or a form of its own, that is noise;
// on a terminal it may be worse. [Take] puts a pipe in the place of descriptor 2. What
// comes out of it goes line by line to the program's log ([SetLog]), and the program
// itself writes to the file that was there before ([File]).
//
// Go's runtime prints there as well when it crashes, at length, and ends the process with
// the exit code 2, which says something else in many programs. While standard error is
// taken a crash is told in one line, and ends with 1. A thread outside Go sees to that:
// in a crash no goroutine runs any more. It always reads, so that a library never waits
// for room in the pipe.
package cstderr

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

// What is said of lines has bounds: libraries have none.
const (
	maxLine  = 1000 // bytes
	maxLines = 200  // in a process
	maxEarly = 50   // lines that are kept until there is a log
)

var state struct {
	sync.Mutex
	real  *os.File
	ended chan struct{} // closed when the last line has been handed on
	log   *slog.Logger
	early []string
	lines int // so far
	marks map[string]chan struct{}
}

// Take takes over standard error, once in a process. Without an error [Give] must be
// called before the process ends.
func Take() error {
	state.Lock()
	defer state.Unlock()
	if state.real != nil {
		return errors.New("standard error is taken already")
	}
	real, lines, err := take()
	if err != nil {
		return err
	}
	Form(false)
	// If the thread does not manage to, the runtime ends the process by a signal, and
	// not with 2.
	debug.SetTraceback("crash")
	state.real, state.ended, state.marks = real, make(chan struct{}), make(map[string]chan struct{})
	go func() {
		defer close(state.ended)
		defer lines.Close()
		read(lines, line)
	}()
	return nil
}

// File is the standard error that the process was started with.
func File() *os.File {
	state.Lock()
	defer state.Unlock()
	if state.real == nil {
		return os.Stderr
	}
	return state.real
}

// Form says how a crash is told: as JSON or as text.
func Form(json bool) { form(json, TracebackAsked()) }

// TracebackAsked tells whether the environment asks for all that there is to say of a
// crash, with GOTRACEBACK=all.
func TracebackAsked() bool { return os.Getenv("GOTRACEBACK") != "" }

// SetLog sets the log that what libraries print goes to; without one it is dropped. Lines
// that came before the first log are kept for it, up to a number.
func SetLog(l *slog.Logger) {
	state.Lock()
	early := state.early
	state.log, state.early = l, nil
	state.Unlock()
	if l == nil {
		return
	}
	for _, text := range early {
		tell(l, text)
	}
}

// Flush returns when what was printed so far has been handed on, so that it stands before
// what the program says next.
func Flush() {
	state.Lock()
	if state.real == nil {
		state.Unlock()
		return
	}
	seen := make(chan struct{})
	mark := fmt.Sprintf("\x00flush %p\x00", seen)
	state.marks[mark] = seen
	state.Unlock()
	if _, err := io.WriteString(os.Stderr, mark+"\n"); err != nil {
		return // the pipe is full: too much is printed for any order
	}
	select {
	case <-seen:
	case <-time.After(200 * time.Millisecond):
	}
}

// Give puts everything back. It returns when what was printed has been handed on, and the
// thread and the goroutine that did so have ended.
func Give() error {
	state.Lock()
	taken := state.real != nil
	state.Unlock()
	if !taken {
		return nil
	}
	err := give()
	<-state.ended
	state.Lock()
	defer state.Unlock()
	if left := state.lines - maxLines; left > 0 && state.log != nil {
		state.log.Debug(fmt.Sprintf("libraries printed %d more lines", left))
	}
	state.real, state.log, state.early, state.lines = nil, nil, nil, 0
	return err
}

// read hands on lines, cut where they are too long.
func read(from io.Reader, line func(string)) {
	r := bufio.NewReaderSize(from, maxLine)
	for cut := false; ; {
		part, more, err := r.ReadLine()
		if err != nil {
			return
		}
		if !cut {
			line(string(part))
		}
		cut = more
	}
}

// line takes in what a library has printed.
func line(text string) {
	state.Lock()
	for mark, seen := range state.marks {
		if before, ok := strings.CutSuffix(text, mark); ok {
			defer close(seen) // what stands before the mark is handed on first
			delete(state.marks, mark)
			text = before
		}
	}
	text = strings.TrimSpace(colour.ReplaceAllString(text, ""))
	if text == "" {
		state.Unlock()
		return
	}
	state.lines++
	log := state.log
	if log == nil && len(state.early) < maxEarly {
		state.early = append(state.early, text)
	}
	over := state.lines > maxLines
	state.Unlock()
	if log != nil && !over {
		tell(log, text)
	}
}

// colour is how some libraries paint their messages.
var colour = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// serious is what libraries call messages that should be read.
var serious = regexp.MustCompile(`(?i)\b(error|fatal|failed|critical)\b|\[[EF]:onnxruntime`)

func tell(log *slog.Logger, text string) {
	level := slog.LevelDebug
	if serious.MatchString(text) {
		level = slog.LevelWarn
	}
	log.Log(context.Background(), level, "a library says: "+text)
}
