package ui

import (
	"errors"
	"syscall"
	"testing"
)

// Too few file descriptors gives a hint, whether the system or a library reports it.
func TestTooManyFilesHint(t *testing.T) {
	for _, err := range []error{syscall.EMFILE, errors.New("libx.so: Too many open files"), WithHint(syscall.EMFILE, "another")} {
		want := "raise the limit on open files (ulimit -n)"
		if errors.As(err, new(hintedError)) {
			want = "another"
		}
		if got := Hint(err); got != want {
			t.Errorf("%v: %q, want %q", err, got, want)
		}
	}
}
