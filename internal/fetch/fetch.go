// Package fetch gets one large file by HTTP, so that it is there whole and
// right, or not there at all.
//
// # How
//
// Bytes go to a file with the suffix ".part" beside the destination, and their
// SHA-256 is computed as they come. Only a file of the right checksum gets the
// destination's name. A part file that an earlier attempt left, in this process
// or in another one, is hashed and gone on from by a range request.
//
// Connections break, stall and lie. A try that ends early is followed by
// another one, after a pause that doubles; a try that brought bytes starts the
// count anew. What the server says for good (404 and its kin) ends it at once.
// A wrong checksum after a resumed download may be the fault of the part file:
// the file is fetched once more from its first byte before it counts.
//
// Of several processes that want the same file, one fetches it and the others
// wait: the file with the suffix ".lock" is locked, and stays, because removing
// it would let two into the room.
package fetch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// A File is what to fetch.
type File struct {
	URLs   []string // tried one after the other
	SHA256 string   // of the whole file, in hex
}

// A Client fetches files. The zero value is usable.
type Client struct {
	// HTTP makes the requests; nil is a client that takes proxies from the
	// environment and bounds the time until an answer begins.
	HTTP *http.Client
	// Mirror is a base URL that stands in for scheme and host of every URL, the
	// path and the query being kept; empty for none.
	Mirror string
	// Tries is how many tries in a row may bring nothing; 0 is 6.
	Tries int
	// Backoff is the pause before the second try, doubled with each, up to a
	// minute; 0 is half a second.
	Backoff time.Duration
	// Stall is how long a connection may bring nothing before it is given up; 0
	// is half a minute.
	Stall time.Duration
	// Progress is told about four times a second, from the goroutine of Get;
	// nil is silent.
	Progress func(Progress)
	// Log is told why a try failed; nil is silent.
	Log *slog.Logger
}

// maxTries bounds all tries of a URL: a server that brings a few bytes each
// time must not keep one forever.
const maxTries = 200

// maxPause bounds the pause between tries.
const maxPause = time.Minute

// A ChecksumError says that a file was not the one wanted. Nothing of it was
// kept.
type ChecksumError struct {
	URL       string
	Want, Got string
}

func (e *ChecksumError) Error() string {
	return fmt.Sprintf("%s has the checksum %s, want %s: nothing of it was kept", e.URL, e.Got, e.Want)
}

// A StatusError says that a server does not have the file, or does not give it.
type StatusError struct {
	URL    string
	Status int
	after  time.Duration // when to ask again, if it says
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("%s: the server answers %d %s", e.URL, e.Status, strings.ToLower(http.StatusText(e.Status)))
}

// final tells an answer for good from one that may change.
func (e *StatusError) final() bool {
	switch e.Status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return e.Status < 500
}

// Get makes dest the file, unless it is that already; fetched tells. After an
// error there is no dest, or still the one that was there before.
func (c *Client) Get(ctx context.Context, f File, dest string) (fetched bool, err error) {
	want := strings.ToLower(f.SHA256)
	if len(want) != 64 || len(f.URLs) == 0 {
		return false, fmt.Errorf("failed to fetch %s: it needs a source and a checksum", filepath.Base(dest))
	}
	unlock, err := c.lock(ctx, dest)
	if err != nil {
		return false, err
	}
	defer unlock()
	if sum, err := sumOf(ctx, dest); err == nil && sum == want {
		return false, nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	var errs []error
	for _, source := range f.URLs {
		u, err := c.locate(source)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		err = c.from(ctx, u, want, dest)
		if err == nil {
			return true, nil
		}
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		errs = append(errs, err)
		var disk *fs.PathError
		if errors.As(err, &disk) {
			break // another source would meet the same disk
		}
	}
	return false, errors.Join(errs...)
}

// lock waits until nobody else fetches dest.
func (c *Client) lock(ctx context.Context, dest string) (unlock func(), err error) {
	l := flock.New(dest + ".lock")
	ok, err := l.TryLock()
	if err == nil && !ok {
		c.log().Info("waiting for another process that fetches the same file", "file", dest)
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

// locate checks a source and puts the mirror in.
func (c *Client) locate(source string) (*url.URL, error) {
	u, err := url.Parse(source)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%q is not a source: it is no http or https URL", source)
	}
	if c.Mirror == "" {
		return u, nil
	}
	m, err := url.Parse(c.Mirror)
	if err != nil || m.Host == "" || m.Scheme != "http" && m.Scheme != "https" {
		return nil, fmt.Errorf("the mirror %q is no http or https URL", c.Mirror)
	}
	at := m.JoinPath(u.EscapedPath())
	at.RawQuery = u.RawQuery
	return at, nil
}

// from fetches dest from one URL, try after try.
func (c *Client) from(ctx context.Context, u *url.URL, want, dest string) error {
	p, err := openPart(ctx, dest+".part")
	if err != nil {
		return err
	}
	defer p.close()
	meter := newMeter(c.Progress, p.have)
	tries, pause := 0, or(c.Backoff, 500*time.Millisecond)
	resumed := p.have > 0
	for all := 1; ; all++ {
		before := p.have
		err := c.try(ctx, u, p, meter)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			got := p.sum()
			switch {
			case got == want:
				meter.last(p.have)
				return p.become(dest)
			case !resumed:
				return errors.Join(&ChecksumError{visible(u), want, got}, p.remove())
			}
			// What was there before may have been of another version.
			c.log().Warn("the checksum is wrong after going on from a part: fetching from the start", "url", visible(u))
			if err := p.restart(); err != nil {
				return err
			}
			resumed = false
			continue
		}
		var status *StatusError
		if errors.As(err, &status) && status.final() {
			return err
		}
		var disk *fs.PathError
		if errors.As(err, &disk) {
			return err
		}
		if tries++; p.have > before {
			tries, pause = 1, or(c.Backoff, 500*time.Millisecond)
		}
		if tries >= or(c.Tries, 6) || all >= maxTries {
			return fmt.Errorf("%w (given up after %d tries)", err, all)
		}
		resumed = resumed || p.have > 0
		wait := min(pause+rand.N(pause/4+1), maxPause)
		if status != nil && status.after > 0 {
			wait = min(status.after, maxPause)
		}
		pause = min(2*pause, maxPause)
		c.log().Warn("a try failed", "err", err, "again_in", wait.Round(time.Millisecond))
		meter.retry(all)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (c *Client) log() *slog.Logger {
	if c.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Log
}

func or[T comparable](v, otherwise T) T {
	var zero T
	if v == zero {
		return otherwise
	}
	return v
}

// visible is a URL as it may be shown: passwords and signatures left out.
func visible(u *url.URL) string {
	v := *u
	v.User, v.RawQuery, v.Fragment = nil, "", ""
	return v.String()
}

// client is http.DefaultTransport with a bound on the wait for an answer. It
// takes proxies from the environment.
var client = &http.Client{Transport: &http.Transport{
	Proxy:                 http.ProxyFromEnvironment,
	DialContext:           (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
	ForceAttemptHTTP2:     true,
	MaxIdleConns:          10,
	IdleConnTimeout:       90 * time.Second,
	TLSHandshakeTimeout:   20 * time.Second,
	ResponseHeaderTimeout: 60 * time.Second,
	ExpectContinueTimeout: time.Second,
}}

// fail reports what went wrong with a file, by os, so that it is told from what
// went wrong on the way.
func fail(op, path string, err error) error {
	if err == nil {
		return nil
	}
	var p *os.PathError
	if errors.As(err, &p) {
		return fmt.Errorf("failed to %s: %w", op, err)
	}
	return fmt.Errorf("failed to %s: %w", op, &os.PathError{Op: op, Path: path, Err: err})
}
