package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"syscall"
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

// An interrupted run is told in the same words by every command.
func TestInterruptedIsAWarning(t *testing.T) {
	for _, err := range []error{interruptedError{}, fmt.Errorf("trying: %w", context.Canceled)} {
		var b bytes.Buffer
		if code := report(&b, "", err); code != exitInterrupted || b.String() != "carve: warning: interrupted: no file was written\n" {
			t.Errorf("%v: exit code %d, %s", err, code, &b)
		}
	}
}

// Too few file descriptors is an error with a hint, of the system and of libraries alike.
func TestTooManyFilesHint(t *testing.T) {
	for _, err := range []error{syscall.EMFILE, errors.New("libx.so: Too many open files"), withHint(syscall.EMFILE, "another")} {
		want := "raise the limit on open files (ulimit -n)"
		if errors.As(err, new(hintedError)) {
			want = "another"
		}
		if got := hintIn(err); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}
