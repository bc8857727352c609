package fetch

import (
	"context"
	"fmt"
	"time"

	"github.com/gofrs/flock"
)

// lock waits until nobody else fetches dest.
func (c *Client) lock(ctx context.Context, dest string) (unlock func(), err error) {
	// Others may have to lock what this user made, in a cache that is shared.
	l := flock.New(dest+".lock", flock.SetPermissions(0o644))
	ok, err := l.TryLock()
	if err == nil && !ok {
		c.log().Info("waiting for another fetch of the same file", "file", dest)
		_, err = l.TryLockContext(ctx, 100*time.Millisecond)
	}
	if err != nil {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		return nil, fmt.Errorf("failed to lock %s: %w", dest, err)
	}
	return func() { l.Close() }, nil
}
