package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/carve-video/carve/internal/redact"
)

// errStalled ends a connection that sends no more data.
var errStalled = errors.New("the connection brings nothing any more")

// errNoRange means that the part is longer than the file, or that the server cannot
// continue it for another reason.
var errNoRange = errors.New("the server has nothing that the part could go on with")

// try makes one request for the rest of the part. Without an error the part is as long
// as the server says the file is.
func (c *Client) try(ctx context.Context, u *url.URL, p *part, m *meter) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := cmp.Or(c.Stall, 30*time.Second)
	watch := time.AfterFunc(stall, func() { cancel(errStalled) })
	defer watch.Stop()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return fmt.Errorf("failed to ask for %s: %w", redact.URL(u), err)
	}
	// If the bytes were compressed they could not be counted or resumed.
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", "carve")
	if p.have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", p.have))
	}
	res, err := c.httpClient().Do(req)
	if err != nil {
		return networkError(ctx, u, err)
	}
	defer res.Body.Close()
	total, err := begin(res, u, p)
	if err != nil {
		return err
	}
	m.total = max(total, 0)
	buffer := make([]byte, 128<<10)
	for {
		n, err := res.Body.Read(buffer)
		if n > 0 {
			// A slow disk must not count as a stalled connection.
			watch.Stop()
			if _, err := p.Write(buffer[:n]); err != nil {
				return err
			}
			m.add(n)
			watch.Reset(stall)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return networkError(ctx, u, err)
		}
		if total >= 0 && p.have > total {
			break
		}
	}
	switch {
	case total >= 0 && p.have > total:
		return start(p, fmt.Errorf("%s: the server sends more than the %d bytes that it says the file has", redact.URL(u), total))
	case total >= 0 && p.have < total:
		return fmt.Errorf("%s: the connection ended at byte %d of %d", redact.URL(u), p.have, total)
	}
	return nil
}

// begin evaluates the headers of an answer: whether its body continues the part or
// starts over, and the length of the whole file, -1 if unknown.
func begin(res *http.Response, u *url.URL, p *part) (total int64, err error) {
	switch {
	case res.StatusCode == http.StatusOK: // also where the server ignored the range
		if p.have > 0 {
			if err := p.restart(); err != nil {
				return 0, err
			}
		}
		return res.ContentLength, nil
	case res.StatusCode == http.StatusPartialContent:
		r, ok := contentRange(res.Header.Get("Content-Range"))
		if !ok || r.first != p.have || res.ContentLength >= 0 && res.ContentLength != r.last-r.first+1 {
			return 0, start(p, fmt.Errorf("%s: the server sends another part of the file than the one asked for", redact.URL(u)))
		}
		p.pieced = p.pieced || p.have > 0
		return r.total, nil
	case res.StatusCode == http.StatusRequestedRangeNotSatisfiable && p.have > 0:
		return 0, start(p, fmt.Errorf("%s: %w", redact.URL(u), errNoRange))
	}
	return 0, &StatusError{URL: redact.URL(u), Status: res.StatusCode, after: retryAfter(res.Header.Get("Retry-After"))}
}

// start empties the part because of an error, and returns that error.
func start(p *part, because error) error {
	if err := p.restart(); err != nil {
		return fmt.Errorf("%w; %w", because, err)
	}
	return because
}

// A span is the content of a Content-Range header.
type span struct{ first, last, total int64 }

// contentRange parses "bytes 100-199/200". If the total is not given ("*"), it is the
// end of the range, since requests always ask for all the rest.
func contentRange(s string) (span, bool) {
	rest, ok1 := strings.CutPrefix(s, "bytes ")
	rest, size, ok2 := strings.Cut(rest, "/")
	from, to, ok3 := strings.Cut(rest, "-")
	first, err1 := strconv.ParseInt(from, 10, 64)
	last, err2 := strconv.ParseInt(to, 10, 64)
	if !ok1 || !ok2 || !ok3 || err1 != nil || err2 != nil || first < 0 || last < first {
		return span{}, false
	}
	if size == "*" {
		return span{first, last, last + 1}, true
	}
	total, err := strconv.ParseInt(size, 10, 64)
	return span{first, last, total}, err == nil && last < total
}

// retryAfter parses seconds or a date; 0 if it cannot. The result is at most maxPause.
func retryAfter(s string) time.Duration {
	if n, err := strconv.Atoi(s); err == nil {
		return time.Duration(min(max(n, 0), int(maxPause/time.Second))) * time.Second
	}
	if t, err := http.ParseTime(s); err == nil {
		return min(max(time.Until(t), 0), maxPause)
	}
	return 0
}

// networkError words an error of the network: the URL occurs once, and without secrets.
func networkError(ctx context.Context, u *url.URL, err error) error {
	if context.Cause(ctx) == errStalled {
		err = errStalled
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return fmt.Errorf("failed to fetch %s: %w", redact.URL(u), err)
}
