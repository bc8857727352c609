// Package fetch downloads one large file by HTTP, so that it is complete and correct,
// or not there at all.
//
// # Method
//
// Bytes go to a file with the suffix ".part" beside the destination, and their SHA-256
// is computed as they come. Only a file with the right checksum gets the destination's
// name. A part file left by an earlier attempt, in this process or another, is hashed
// and continued with a range request.
//
// # Errors
//
// Connections break, stall and send wrong data. A failed try is followed by another
// one, after a pause that doubles each time; a try that got further than all before it
// resets the count. A permanent answer of the server (404 and the like) ends the fetch
// at once. A wrong checksum may come from joining pieces of different answers: such a
// file is fetched once more from its first byte before it counts as wrong. Disk errors
// end the fetch, because another server would not help.
//
// # Concurrency
//
// If several processes want the same file, one fetches it and the others wait. The file
// with the suffix ".lock" is locked. It is never removed: otherwise two processes could
// hold locks on different files of that name.
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
	// HTTP makes the requests. nil is a client that takes proxies from the
	// environment and bounds the time until an answer begins.
	HTTP *http.Client
	// Mirror is a base URL that replaces scheme and host of every URL; path and query
	// are kept. Empty for none.
	Mirror string
	// Tries is how many tries in a row may fail without new bytes; 0 is 6.
	Tries int
	// Backoff is the pause before the second try. It doubles with each try, up to a
	// minute; 0 is half a second.
	Backoff time.Duration
	// Stall is how long a connection may send nothing before it is given up; 0 is half
	// a minute.
	Stall time.Duration
	// Progress is called about four times a second, from the goroutine of Get; nil for
	// none.
	Progress func(Progress)
	// Log receives why a try failed; nil for none.
	Log *slog.Logger
}

// Get downloads the file to dest, unless dest is that file already; fetched tells
// which. After an error dest is missing or unchanged.
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
		// A folder without write permission, such as one that comes with a system, may
		// still have the file.
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
	if err := p.finish(dest); err != nil {
		return false, err
	}
	return true, nil
}

// fill completes the part from the first source that can.
func (c *Client) fill(ctx context.Context, p *part, sources []string, want string, m *meter) error {
	// An earlier attempt may have ended after its last byte.
	if p.have > 0 && p.sum() == want {
		return nil
	}
	if c.HTTP == nil {
		// The client is ours, so only we can end the goroutines of idle connections.
		defer client.CloseIdleConnections()
	}
	var failed error
	for _, source := range sources {
		u, err := c.locate(source)
		if err == nil {
			err = c.fetchFrom(ctx, u, p, want, m)
		}
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		// Not errors.Join, since an error should be one line.
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

// client is used when the caller has none. It has no timeout for a whole request, since
// 2 GB may take any time; Stall handles the rest.
var client = &http.Client{
	CheckRedirect: checkRedirect,
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

// httpClient returns the client to use. If it has no policy on redirects it gets this
// package's.
func (c *Client) httpClient() *http.Client {
	h := cmp.Or(c.HTTP, client)
	if h.CheckRedirect != nil {
		return h
	}
	own := *h
	own.CheckRedirect = checkRedirect
	return &own
}

func (c *Client) log() *slog.Logger {
	if c.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Log
}
