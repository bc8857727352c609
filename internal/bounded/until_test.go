package bounded

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestUntil(t *testing.T) {
	cause := errors.New("of the source")
	ctx, cancel := context.WithCancel(t.Context())
	r := Until(ctx, io.MultiReader(strings.NewReader("ab"), failing{cause}))
	b := make([]byte, 1)
	if n, err := r.Read(b); n != 1 || b[0] != 'a' || err != nil {
		t.Errorf("first: %d, %q, %v", n, b, err)
	}
	if _, err := Until(ctx, failing{cause}).Read(b); err != cause {
		t.Errorf("an error of the source became %v", err)
	}
	cancel()
	if n, err := r.Read(b); n != 0 || !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %d, %v", n, err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }
