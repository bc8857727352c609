package fetch

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"
)

// A ChecksumError says that a file was not the expected one. Nothing of it was kept.
type ChecksumError struct {
	URL       string // without password and query
	Want, Got string
}

func (e *ChecksumError) Error() string {
	return fmt.Sprintf("%s has the checksum %s, want %s: nothing of it was kept", e.URL, e.Got, e.Want)
}

// A StatusError says that a server does not have the file, or does not serve it.
type StatusError struct {
	URL    string // without password and query
	Status int
	after  time.Duration // when to try again, if the server says
}

func (e *StatusError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("%s: the server answers %d %s", e.URL, e.Status, strings.ToLower(http.StatusText(e.Status))))
}

// A redirectError says that redirects cannot be followed.
type redirectError struct{ why string }

func (e *redirectError) Error() string { return e.why }

// checkRedirect is the policy on redirects. It checks the scheme because a caller's
// client may support others, such as one for files.
func checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return &redirectError{"10 redirects, and still no file"}
	}
	if s := req.URL.Scheme; s != "http" && s != "https" {
		return &redirectError{fmt.Sprintf("the redirect to a URL of the scheme %q is not followed", s)}
	}
	return nil
}

// isFinal tells a permanent error from a temporary one.
func isFinal(err error) bool {
	var redirect *redirectError
	if errors.As(err, &redirect) {
		return true
	}
	var status *StatusError
	if !errors.As(err, &status) {
		return false
	}
	switch status.Status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return status.Status < 500
}

// A diskError is an error of the local disk: neither another try nor another source
// would help.
type diskError struct {
	op  string
	err error // names the file
}

func (e *diskError) Error() string { return fmt.Sprintf("failed to %s: %v", e.op, e.err) }
func (e *diskError) Unwrap() error { return e.err }

func newDiskError(op, path string, err error) error {
	if err == nil {
		return nil
	}
	var p *os.PathError
	var l *os.LinkError
	if !errors.As(err, &p) && !errors.As(err, &l) {
		err = &os.PathError{Op: op, Path: path, Err: err}
	}
	return &diskError{op, err}
}

func isDisk(err error) bool {
	var disk *diskError
	return errors.As(err, &disk)
}
