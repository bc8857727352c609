package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"
)

func TestLogFormatOf(t *testing.T) {
	for line, want := range map[string]string{
		"":                                       "",
		"try --log-format json":                  "json",
		"try --log-format=json -v":               "json",
		"--log-format json --log-format text":    "text",
		"--log-format=text --log-format json":    "json",
		"--log-format json -- --log-format=text": "json",
		"-- --log-format json":                   "",
		"--log-format":                           "",
		"--log-formats=json":                     "",
	} {
		if got := logFormatOf(strings.Fields(line)); got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

// Whoever stops a run is told so in the same words, whichever command it was.
func TestInterruptedIsAWarning(t *testing.T) {
	for _, err := range []error{interruptedError{}, fmt.Errorf("trying: %w", context.Canceled)} {
		var b bytes.Buffer
		if code := report(&b, "", err); code != exitInterrupted || b.String() != "carve: warning: interrupted: no file was written\n" {
			t.Errorf("%v: exit code %d, %s", err, code, &b)
		}
	}
}
