// Package ui is what carve says to its user, and how: errors with their hints and exit
// codes, the log, how far a run is, tables, and the words that all of them share.
//
// What goes wrong reaches the user through [Report], and only through it:
//
//   - one line "carve: error: …", lower case, saying what was being done to what; then at
//     most one line "carve: hint: …", saying what to do about it;
//   - with --log-format json the same as one JSON object with message_type "error";
//   - an exit code out of a short list, see [ExitOK].
//
// All that is printed passes through a [Console], which makes foreign text harmless.
package ui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Report prints an error, as an object of JSON if that is asked for, and returns the exit
// code that it stands for.
func Report(stderr io.Writer, asJSON bool, err error) int {
	if err == nil || errors.Is(err, ErrHelp) {
		return ExitOK
	}
	code, kind := ExitFailed, "error"
	var usage UsageError
	var lost LostError
	var interrupted InterruptedError
	switch {
	case errors.As(err, &usage):
		code = ExitUsage
	case errors.As(err, &lost):
		code, kind = ExitLost, "warning"
	case errors.As(err, &interrupted):
		code, kind = ExitInterrupted, "warning"
	case errors.Is(err, context.Canceled):
		code, kind, err = ExitInterrupted, "warning", InterruptedError{}
	}
	hint := OneLine(Hint(err))
	message := OneLine(err.Error())
	if asJSON {
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
