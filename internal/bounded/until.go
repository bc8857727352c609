package bounded

import (
	"context"
	"io"
)

// Until wraps r in a reader that ends with the context: from then on every read returns
// the context's error. Files of gigabytes are read through it, so that Ctrl-C takes
// effect at once.
func Until(ctx context.Context, r io.Reader) io.Reader { return until{ctx, r} }

type until struct {
	ctx context.Context
	r   io.Reader
}

func (u until) Read(b []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(b)
}
