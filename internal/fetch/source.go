package fetch

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/carve-video/carve/internal/redact"
)

// locate checks a source and applies the mirror.
func (c *Client) locate(source string) (*url.URL, error) {
	u, ok := parse(source)
	if !ok {
		return nil, fmt.Errorf("%q is not a source: it is no http or https URL", redact.Source(source))
	}
	if c.Mirror == "" {
		return u, nil
	}
	m, ok := parse(c.Mirror)
	if !ok {
		return nil, fmt.Errorf("the mirror %q is no http or https URL", redact.Source(c.Mirror))
	}
	// Not JoinPath, which would normalise a path that may matter to the server.
	at := *m
	at.Path = strings.TrimSuffix(m.Path, "/") + rooted(u.Path)
	at.RawPath = strings.TrimSuffix(m.EscapedPath(), "/") + rooted(u.EscapedPath())
	at.RawQuery = u.RawQuery
	return &at, nil
}

func parse(s string) (*url.URL, bool) {
	u, err := url.Parse(s)
	return u, err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

func rooted(path string) string {
	if strings.HasPrefix(path, "/") {
		return path
	}
	return "/" + path
}
