// Package cstderr captures the standard error of the process.
//
// C libraries print to descriptor 2 at any time: encoders during set-up, ONNX Runtime
// on errors, the C library when memory is corrupted. That breaks the output of a
// program that promises one JSON object a line or its own format, and on a terminal it
// may do harm. [Take] replaces descriptor 2 by a pipe. What libraries print goes line
// by line to the program's log ([SetLog]), and the program itself writes to the
// original file ([File]).
//
// Go's runtime also prints there when it crashes, at length, and exits with 2, which
// has another meaning in many programs. While standard error is captured, a crash is
// reported in one line, and the exit code is 1. That is done by a thread outside Go,
// since no goroutine runs after a crash. The thread always reads, so that a library
// never blocks on the pipe.
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

// Bounds on the lines that are logged, since libraries have none.
const (
	maxLine  = 1000 // bytes
	maxLines = 200  // in a process
	maxEarly = 50   // lines kept until there is a log
)

var state struct {
	sync.Mutex
	real  *os.File
	ended chan struct{} // closed when the last line has been logged
	log   *slog.Logger
	early []string
	lines int // so far
	marks map[string]chan struct{}
}

// Take captures standard error, once in a process. If it succeeds, [Give] must be
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
	// If the thread fails to report a crash, the runtime ends the process by a signal,
	// not with exit code 2.
	debug.SetTraceback("crash")
	state.real, state.ended, state.marks = real, make(chan struct{}), make(map[string]chan struct{})
	go func() {
		defer close(state.ended)
		defer lines.Close()
		read(lines, line)
	}()
	return nil
}

// File returns the standard error that the process was started with.
func File() *os.File {
	state.Lock()
	defer state.Unlock()
	if state.real == nil {
		return os.Stderr
	}
	return state.real
}

// Form sets how a crash is reported: as JSON or as text.
func Form(json bool) { form(json, TracebackAsked()) }

// TracebackAsked tells whether the environment requests all details of a crash, with
// GOTRACEBACK=all.
func TracebackAsked() bool { return os.Getenv("GOTRACEBACK") != "" }

// SetLog sets the log for what libraries print; without one it is dropped. A limited
// number of lines printed before the first log is kept for it.
func SetLog(l *slog.Logger) {
	state.Lock()
	early := state.early
	state.log, state.early = l, nil
	state.Unlock()
	if l == nil {
		return
	}
	for _, text := range early {
		logLine(l, text)
	}
}

// Flush returns when everything printed so far has been logged, so that it comes before
// the program's next message.
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
		return // the pipe is full: the order cannot be kept
	}
	select {
	case <-seen:
	case <-time.After(200 * time.Millisecond):
	}
}

// Give restores standard error. It returns when everything printed has been logged, and
// the thread and the goroutine have ended.
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

// read passes on lines, cut if they are too long.
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

// line handles a line that a library has printed.
func line(text string) {
	state.Lock()
	for mark, seen := range state.marks {
		if before, ok := strings.CutSuffix(text, mark); ok {
			defer close(seen) // lines before the mark are logged first
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
		logLine(log, text)
	}
}

// colour matches the colour codes of some libraries' messages.
var colour = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// serious matches messages that the user should read.
var serious = regexp.MustCompile(`(?i)\b(error|fatal|failed|critical)\b|\[[EF]:onnxruntime`)

func logLine(log *slog.Logger, text string) {
	level := slog.LevelDebug
	if serious.MatchString(text) {
		level = slog.LevelWarn
	}
	log.Log(context.Background(), level, "a library says: "+text)
}
