package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"time"

	"github.com/carve-video/carve/internal/redact"
)

// maxTries bounds all tries of a URL, so that a server that sends a few bytes each time
// cannot go on forever.
const maxTries = 200

// maxPause bounds the pause between tries.
const maxPause = time.Minute

// fetchFrom completes the part from one URL, with retries.
func (c *Client) fetchFrom(ctx context.Context, u *url.URL, p *part, want string, m *meter) error {
	var (
		idle    int      // tries in a row without new bytes
		most    = p.have // the furthest that any try came
		renewed bool     // started over because the checksum was wrong
		refused bool     // started over because the server lacks the range
		pauses  = backoff{first: max(cmp.Or(c.Backoff, 500*time.Millisecond), 0)}
	)
	for all := 1; ; all++ {
		err := c.try(ctx, u, p, m)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		// Even after an error all bytes may be there: what broke may have been only the
		// end of the answer.
		if err == nil || p.have > 0 {
			if p.sum() == want {
				return nil
			}
		}
		switch {
		case err == nil:
			bad := &ChecksumError{redact.URL(u), want, p.sum()}
			again := p.pieced && !renewed
			if err := p.restart(); err != nil {
				return fmt.Errorf("%w; %w", bad, err)
			}
			if !again {
				return bad
			}
			c.log().Warn("the checksum is wrong after going on from a part: fetching from the start", "url", redact.URL(u))
			renewed, most = true, 0
			continue
		case errors.Is(err, errNoRange) && !refused && !isDisk(err):
			c.log().Warn("the server has nothing that the part could go on with: fetching from the start", "url", redact.URL(u))
			refused, most = true, 0
			continue
		case isFinal(err), isDisk(err):
			return err
		}
		idle++
		// Compared with the best try, not the last: a server without ranges would send
		// the same bytes again and again.
		if p.have > most {
			idle, most = 0, p.have
			pauses.reset()
		}
		if idle >= cmp.Or(c.Tries, 6) || all >= maxTries {
			return fmt.Errorf("%w (given up after %d tries)", err, all)
		}
		wait := pauses.next()
		var status *StatusError
		if errors.As(err, &status) && status.after > 0 {
			wait = status.after
		}
		// Without a network, the error at the end is enough. If a try brought
		// something, the user wants to know why it takes so long.
		level := slog.LevelDebug
		if idle == 0 {
			level = slog.LevelWarn
		}
		c.log().Log(ctx, level, "a try failed", "err", err, "again_in", wait.Round(time.Millisecond))
		m.retry()
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// A backoff is the pauses between tries. They vary at random, so that the clients of a
// server do not all come back at the same moment.
type backoff struct {
	first   time.Duration
	current time.Duration
}

func (b *backoff) next() time.Duration {
	b.current = min(max(2*b.current, b.first), maxPause)
	return min(b.current+rand.N(b.current/4+1), maxPause)
}

func (b *backoff) reset() { b.current = 0 }
