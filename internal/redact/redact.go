// Package redact takes passwords, tokens and signatures out of text that is shown or
// written down.
//
// Names of inputs, outputs, models and mirrors may be URLs, and a URL may hold a
// secret: rtsp://user:secret@camera/live, https://host/file?token=secret. It comes
// back in error messages, of this program and of libraries, in logs and in results,
// and all of those are pasted into bug reports.
package redact

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
)

// Mark stands where a secret was.
const Mark = "***"

// aURL is the beginning of a URL. One slash will do, because cleaning a path leaves
// one of two; one letter is the drive of a path of Windows.
var aURL = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]+:/+`)

// Text returns s with the secrets of all URLs in it marked. The user goes with the
// password, because a token may stand in its place. Where it cannot be told how far a
// password reaches, because it holds characters that should have been escaped, more is
// taken out rather than less.
func Text(s string) string {
	if !strings.Contains(s, ":/") {
		return s
	}
	var b strings.Builder
	for {
		at := aURL.FindStringIndex(s)
		if at == nil {
			b.WriteString(s)
			return b.String()
		}
		b.WriteString(s[:at[1]])
		s = s[at[1]:]
		n := len(s)
		if i := strings.IndexAny(s, ends); i >= 0 {
			n = i
		}
		if cut := credentials(s, n); cut > 0 {
			b.WriteString(Mark)
			s = s[cut:]
			if n = strings.IndexAny(s, ends); n < 0 {
				n = len(s)
			}
		}
		b.WriteString(parameters(s[:n]))
		s = s[n:]
	}
}

// ends are the characters that end a URL in a text.
const ends = " \t\r\n\"'`<>"

// credentials returns where the @ behind them is; 0 is for none. The first n bytes of s
// look like the URL behind its scheme.
func credentials(s string, n int) int {
	if strings.HasPrefix(s, Mark+"@") {
		return len(Mark) // they were taken out before
	}
	authority := s[:n]
	if i := strings.IndexAny(authority, "/?#\\"); i >= 0 {
		authority = authority[:i]
	}
	host, port, colon := strings.Cut(authority, ":")
	if strings.Contains(authority, "@") || colon && host != "" {
		// Also rtsp://user:pass/word@host.
		if i := strings.LastIndexByte(s[:n], '@'); i >= 0 {
			return i
		}
	}
	// What stands behind the colon is no port, so the password may go on behind what
	// looked like the end of the URL.
	if colon && strings.Trim(port, "0123456789") != "" && !strings.HasPrefix(authority, "[") {
		rest := s[n:]
		if i := strings.IndexByte(rest, '\n'); i >= 0 {
			rest = rest[:i]
		}
		if i := strings.IndexByte(rest, '@'); i >= 0 {
			return n + i
		}
	}
	return 0
}

// secretName is in the names of parameters that are not to be seen.
var secretName = regexp.MustCompile(`(?i)token|key|pass|pwd|secret|sig|auth|cred|session`)

// parameters marks the values of secret parameters, behind the URL's ? as behind its #.
func parameters(s string) string {
	i := strings.IndexAny(s, "?#")
	if i < 0 {
		return s
	}
	var b strings.Builder
	b.WriteString(s[:i])
	for s = s[i:]; s != ""; {
		n := 1 + strings.IndexAny(s[1:], "?#&;")
		if n == 0 {
			n = len(s)
		}
		name, value, _ := strings.Cut(s[:n], "=")
		if value != "" && secretName.MatchString(name) {
			// The text's own punctuation often stands right behind a URL.
			b.WriteString(name + "=" + Mark + value[len(strings.TrimRight(value, ".,:)")):])
		} else {
			b.WriteString(s[:n])
		}
		s = s[n:]
	}
	return b.String()
}

// aString is a string of JSON.
var aString = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// JSON is [Text] for each string in a JSON text, which stays the same JSON otherwise.
func JSON(text []byte) []byte {
	return aString.ReplaceAllFunc(text, func(quoted []byte) []byte {
		var s string
		if !bytes.Contains(quoted, []byte(":")) || json.Unmarshal(quoted, &s) != nil {
			return quoted
		}
		safe := Text(s)
		if safe == s {
			return quoted
		}
		again, err := json.Marshal(safe)
		if err != nil {
			return quoted // a string always has an encoding
		}
		return again
	})
}

// URL is u as it may be shown where only the place matters: without user, query and
// fragment.
func URL(u *url.URL) string {
	v := *u
	v.User, v.RawQuery, v.ForceQuery, v.Fragment, v.RawFragment = nil, "", false, "", ""
	return v.String()
}

// Source is what may be shown of something that was given as a URL, whether it is one
// or not.
func Source(s string) string {
	if i := strings.IndexAny(s, "?#"); i >= 0 {
		s = s[:i]
	}
	if i := strings.LastIndex(s, "@"); i >= 0 {
		s = Mark + s[i:]
	}
	return s
}
