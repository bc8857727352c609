package ui

import (
	"bytes"
	"context"
	"fmt"
	"testing"
)

// Every command reports an interrupted run in the same words.
func TestInterruptedIsAWarning(t *testing.T) {
	for _, err := range []error{InterruptedError{}, fmt.Errorf("trying: %w", context.Canceled)} {
		var b bytes.Buffer
		if code := Report(&b, false, err); code != ExitInterrupted || b.String() != "carve: warning: interrupted: no output was completed\n" {
			t.Errorf("%v: exit code %d, %s", err, code, &b)
		}
	}
}
