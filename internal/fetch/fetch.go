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
// # What goes wrong
//
// Connections break, stall and lie. A try that ends early is followed by
// another one, after a pause that doubles; a try that got further than all
// before it starts the count anew. What the server says for good (404 and its
// kin) ends it at once. A wrong checksum may be the fault of the pieces that
// the file was put together from: such a file is fetched once more from its
// first byte before it counts. The disk's errors end everything, because
// another server would meet the same disk.
//
// # Together
//
// Of several processes that want the same file, one fetches it and the others
// wait: the file with the suffix ".lock" is locked, and stays, because removing
// it would let two into the room.
package fetch

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"
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

// Get makes dest the file, unless it is that already; fetched tells. After an
// error there is no dest, or still the one that was there before.
func (c *Client) Get(ctx context.Context, f File, dest string) (fetched bool, err error) {
	want := strings.ToLower(f.SHA256)
	if raw, err := hex.DecodeString(want); err != nil || len(raw) != 32 || len(f.URLs) == 0 {
		return false, fmt.Errorf("failed to fetch %s: it needs a source and a SHA-256", filepath.Base(dest))
	}
	if err := ctx.Err(); err != nil {
		return false, err
	}
	unlock, err := c.lock(ctx, dest)
	if err != nil {
		// A folder that cannot be written to, such as one that comes with a
		// system, may have the file nevertheless.
		if sum, e := sumOf(ctx, dest); e == nil && sum == want {
			return false, nil
		}
		return false, err
	}
	defer unlock()
	if sum, err := sumOf(ctx, dest); err == nil && sum == want {
		return false, nil
	} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}

	p, err := openPart(ctx, dest+partSuffix)
	if err != nil {
		return false, err
	}
	defer func() {
		if e := p.close(); e != nil && err != nil {
			err = fmt.Errorf("%w; %w", err, e)
		}
	}()
	m := newMeter(c.Progress, p)
	if err := c.fill(ctx, p, f.URLs, want, m); err != nil {
		return false, err
	}
	m.last()
	if err := p.become(dest); err != nil {
		return false, err
	}
	return true, nil
}

// fill makes the part whole from the first source that can do it.
func (c *Client) fill(ctx context.Context, p *part, sources []string, want string, m *meter) error {
	// All bytes may have come before an earlier attempt died.
	if p.have > 0 && p.sum() == want {
		return nil
	}
	if c.HTTP == nil {
		// Nobody else could end the goroutines of connections kept for later.
		defer client.CloseIdleConnections()
	}
	var failed error
	for _, source := range sources {
		u, err := c.locate(source)
		if err == nil {
			err = c.from(ctx, u, p, want, m)
		}
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		// Not errors.Join: an error should be one line.
		if failed == nil {
			failed = err
		} else {
			failed = fmt.Errorf("%w; %w", failed, err)
		}
		if isDisk(err) {
			break
		}
	}
	return failed
}

// client is for when the caller has none. There is no timeout for the whole of
// a request: 2 GB take as long as they take, and Stall sees to the rest.
var client = &http.Client{
	CheckRedirect: follow,
	Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		ForceAttemptHTTP2:     true,
		MaxIdleConns:          10,
		IdleConnTimeout:       90 * time.Second,
		TLSHandshakeTimeout:   20 * time.Second,
		ResponseHeaderTimeout: 60 * time.Second,
		ExpectContinueTimeout: time.Second,
	},
}

// requester is the client to ask with. One without an opinion on redirects gets
// this package's.
func (c *Client) requester() *http.Client {
	h := cmp.Or(c.HTTP, client)
	if h.CheckRedirect != nil {
		return h
	}
	own := *h
	own.CheckRedirect = follow
	return &own
}

func (c *Client) log() *slog.Logger {
	if c.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Log
}
