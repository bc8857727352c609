package fetch

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/gofrs/flock"
)

// Files beside a file that is being fetched, or once was.
const (
	partSuffix = ".part"
	lockSuffix = ".lock"
)

// Leaves lists the files that fetching dest may leave beside it.
func Leaves(dest string) []string { return []string{dest + partSuffix, dest + lockSuffix} }

// Going reports whether a process is fetching dest.
func Going(dest string) bool {
	path := dest + lockSuffix
	// Read only, since locking would create the file.
	l := flock.New(path, flock.SetFlag(os.O_RDONLY))
	defer l.Close()
	ok, err := l.TryRLock()
	return err == nil && !ok
}

// lock waits until no other process or goroutine fetches dest.
func (c *Client) lock(ctx context.Context, dest string) (unlock func(), err error) {
	// Other users may have to lock this file in a shared cache.
	l := flock.New(dest+lockSuffix, flock.SetPermissions(0o644))
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
