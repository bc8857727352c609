// Package ui prints messages to carve's user: errors with their hints and exit codes,
// the log, progress and tables, and the wording that they share.
//
// Errors reach the user through [Report] only:
//
//   - one line "carve: error: …" in lower case that says what was being done to what, then
//     at most one line "carve: hint: …" that says what to do about it;
//   - with --log-format json the same as one JSON object with message_type "error";
//   - an exit code from a short list, see [ExitOK].
//
// All output passes through a [Console], which makes foreign text harmless.
package ui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Report prints an error, as a JSON object if asJSON is set, and returns its exit code.
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
