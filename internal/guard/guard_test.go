package guard

import (
	"errors"
	"strings"
	"testing"
)

func TestRun(t *testing.T) {
	own := errors.New("its own")
	if err := Run(func() error { return own }); err != own {
		t.Errorf("an error became %v", err)
	}
	if err := Run(func() error { return nil }); err != nil {
		t.Errorf("success became %v", err)
	}
	// The argument of panic may be an error: it must not be taken for one that was
	// returned.
	var fault *PanicError
	err := Run(func() error { panic(own) })
	if !errors.As(err, &fault) || errors.Is(err, own) || fault.Value != any(own) || !strings.Contains(string(fault.Stack), "TestRun") {
		t.Errorf("a panic became %v", err)
	}
}
