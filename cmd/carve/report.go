package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Everything that goes wrong reaches the user through this file, and only
// through it:
//
//   - one line "carve: error: …", lower case, saying what was being done to
//     what; then at most one line "carve: hint: …", saying what to do about it;
//   - with --log-format json the same as one JSON object with message_type
//     "error";
//   - an exit code out of the list below, which is a contract: it stands in
//     the README and in --help.
const (
	exitOK          = 0   // done
	exitFailed      = 1   // failed; what is written is whole, and only what a command of several outputs had finished
	exitUsage       = 2   // the command line itself is wrong; nothing was opened
	exitLost        = 3   // done, but something was lost on the way: counted and named
	exitInterrupted = 130 // stopped by the user; what was finished by then is written
)

const exitCodesHelp = `Exit codes:
  0    done
  1    failed; no output was written (clips, demo and eval run keep what they
       had finished before)
  2    the command line is wrong; nothing was opened
  3    done, but something was lost (damaged frames; alpha, sound, subtitles or
       chapters that the output cannot hold): counted and named in a warning
  130  interrupted; after the first Ctrl-C what was finished is written
`

// errHelp says that help was asked for and printed: not an error.
var errHelp = errors.New("help requested")

// A usageError is a mistake on the command line.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// A lostError says that the output is whole but not all of the input is in it.
type lostError struct{ what []string }

func (e lostError) Error() string { return "lost: " + strings.Join(e.what, "; ") }

// An interruptedError says that the user stopped the run.
type interruptedError struct {
	at      string // the time of the last frame written, or empty
	written string // the file, or empty when it was given up
}

func (e interruptedError) Error() string {
	if e.written == "" {
		return "interrupted: no file was written"
	}
	return fmt.Sprintf("stopped at %s: %s holds everything up to there", e.at, e.written)
}

// A hintedError carries the line that tells the user what to do.
type hintedError struct {
	error
	hint string
}

func (e hintedError) Unwrap() error { return e.error }

func withHint(err error, hint string) error {
	if err == nil || hint == "" {
		return err
	}
	return hintedError{err, hint}
}

// report prints an error as described above and returns the exit code.
func report(stderr io.Writer, logFormat string, err error) int {
	if err == nil || errors.Is(err, errHelp) {
		return exitOK
	}
	code, kind := exitFailed, "error"
	var usage usageError
	var lost lostError
	var interrupted interruptedError
	switch {
	case errors.As(err, &usage):
		code = exitUsage
	case errors.As(err, &lost):
		code, kind = exitLost, "warning"
	case errors.As(err, &interrupted):
		code, kind = exitInterrupted, "warning"
	case errors.Is(err, context.Canceled):
		code, kind, err = exitInterrupted, "warning", interruptedError{}
	}
	hint := oneLine(hintIn(err))
	message := oneLine(err.Error())
	if logFormat == "json" {
		line, _ := json.Marshal(struct {
			MessageType string `json:"message_type"`
			Message     string `json:"message"`
			Hint        string `json:"hint,omitempty"`
			ExitCode    int    `json:"exit_code"`
		}{kind, message, hint, code})
		fmt.Fprintf(stderr, "%s\n", line)
		return code
	}
	fmt.Fprintf(stderr, "carve: %s: %s\n", kind, message)
	if hint != "" {
		fmt.Fprintf(stderr, "carve: hint: %s\n", hint)
	}
	return code
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// logFormatOf finds --log-format before the flags are parsed: an error in the
// flags must already have the right form. As with all flags the last one counts.
func logFormatOf(args []string) (format string) {
	for i, a := range args {
		if a == "--" {
			break
		}
		if v, ok := strings.CutPrefix(a, "--log-format="); ok {
			format = v
		}
		if a == "--log-format" && i+1 < len(args) {
			format = args[i+1]
		}
	}
	return format
}
