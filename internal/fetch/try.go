package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// errStalled ends a connection that brings nothing any more.
var errStalled = errors.New("the connection brings nothing any more")

// try makes one request for what the part lacks. Without an error the part is
// as long as the server says the file is.
func (c *Client) try(ctx context.Context, u *url.URL, p *part, m *meter) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	stall := or(c.Stall, 30*time.Second)
	watch := time.AfterFunc(stall, func() { cancel(errStalled) })
	defer watch.Stop()

	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return fmt.Errorf("failed to ask for %s: %w", visible(u), err)
	}
	// Compressed on the way the bytes could be neither counted nor resumed.
	req.Header.Set("Accept-Encoding", "identity")
	req.Header.Set("User-Agent", "carve")
	if p.have > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", p.have))
	}
	res, err := or(c.HTTP, client).Do(req)
	if err != nil {
		return onTheWay(ctx, u, err)
	}
	defer res.Body.Close()
	total, err := begin(res, u, p)
	if err != nil {
		return err
	}
	if total == p.have && res.StatusCode == http.StatusRequestedRangeNotSatisfiable {
		return nil
	}
	m.total = max(total, 0)
	buffer := make([]byte, 128<<10)
	for {
		n, err := res.Body.Read(buffer)
		if n > 0 {
			watch.Reset(stall)
			if _, err := p.Write(buffer[:n]); err != nil {
				return err
			}
			m.show(p.have)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return onTheWay(ctx, u, err)
		}
	}
	if total >= 0 && p.have != total {
		return fmt.Errorf("%s: the connection ended at byte %d of %d", visible(u), p.have, total)
	}
	return nil
}

// begin looks at the head of an answer: whether its body goes on from the part
// or starts anew, and how long the file is in all; -1 is not known.
func begin(res *http.Response, u *url.URL, p *part) (total int64, err error) {
	switch res.StatusCode {
	case http.StatusOK: // also where a range was asked for and is not honoured
		if p.have > 0 {
			if err := p.restart(); err != nil {
				return 0, err
			}
		}
		return res.ContentLength, nil
	case http.StatusPartialContent:
		from, total, ok := contentRange(res.Header.Get("Content-Range"))
		if !ok || from != p.have {
			err := p.restart()
			return 0, errors.Join(fmt.Errorf("%s: the server sends another part of the file than the one asked for", visible(u)), err)
		}
		if total < 0 && res.ContentLength >= 0 {
			total = p.have + res.ContentLength
		}
		return total, nil
	case http.StatusRequestedRangeNotSatisfiable:
		// The part is as long as the file, or longer.
		if _, total, ok := contentRange(res.Header.Get("Content-Range")); ok && total == p.have {
			return total, nil
		}
		err := p.restart()
		return 0, errors.Join(fmt.Errorf("%s: the server has less of the file than was fetched before", visible(u)), err)
	}
	return 0, &StatusError{URL: visible(u), Status: res.StatusCode, after: retryAfter(res.Header.Get("Retry-After"))}
}

// contentRange reads "bytes 100-199/200" and "bytes */200"; -1 is not said.
func contentRange(s string) (from, total int64, ok bool) {
	s, ok = strings.CutPrefix(s, "bytes ")
	span, size, ok2 := strings.Cut(s, "/")
	if !ok || !ok2 {
		return 0, 0, false
	}
	total, from = -1, -1
	var err error
	if size != "*" {
		if total, err = strconv.ParseInt(size, 10, 64); err != nil || total < 0 {
			return 0, 0, false
		}
	}
	if span != "*" {
		first, _, _ := strings.Cut(span, "-")
		if from, err = strconv.ParseInt(first, 10, 64); err != nil {
			return 0, 0, false
		}
	}
	return from, total, true
}

// retryAfter reads seconds or a date; what cannot be read is nothing.
func retryAfter(s string) time.Duration {
	if n, err := strconv.Atoi(s); err == nil && n > 0 {
		return min(time.Duration(n), 3600) * time.Second
	}
	if t, err := http.ParseTime(s); err == nil {
		return max(time.Until(t), 0)
	}
	return 0
}

// onTheWay words an error of the network: the URL is said once, and without
// what must not be shown.
func onTheWay(ctx context.Context, u *url.URL, err error) error {
	if cause := context.Cause(ctx); cause == errStalled {
		err = errStalled
	}
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		err = wrapped.Err
	}
	return fmt.Errorf("failed to fetch %s: %w", visible(u), err)
}
