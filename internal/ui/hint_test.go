package ui

import (
	"errors"
	"syscall"
	"testing"
)

// Too few file descriptors is an error with a hint, of the system and of libraries alike.
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
