package main

import (
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
