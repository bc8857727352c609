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

// mark stands where a secret was.
const mark = "***"

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
		if cut := credentials(s); cut > 0 {
			b.WriteString(mark)
			s = s[cut:]
		}
		s = parameters(&b, s)
	}
}

const (
	spaces = " \t\r\n"
	// ends are the characters that end a URL in a text. A secret may hold them all the
	// same: people type what they like.
	ends = spaces + "\"'`<>"
)

// farthest is how far behind a scheme an @ may be.
const farthest = 4096

// credentials returns where the @ behind them is; 0 is for none. At the beginning of s is
// what stands behind a scheme.
func credentials(s string) int {
	if strings.HasPrefix(s, mark+"@") {
		return len(mark) // they were taken out before
	}
	line := until(s[:min(len(s), farthest)], "\n")
	plain := until(line, ends)
	// Whatever stands before an @ may be a secret, up to the path. That says too much
	// where the @ is the text's own, as in "https://host, see me@there".
	cut := strings.LastIndexByte(until(line, "/"), '@')
	authority := until(plain, "/?#\\")
	host, port, colon := strings.Cut(authority, ":")
	if strings.Contains(authority, "@") || colon && host != "" {
		// Also rtsp://user:pass/word@host.
		cut = max(cut, strings.LastIndexByte(plain, '@'))
	}
	// What stands behind the colon is no port, so the password may go on behind what
	// looked like the end of the URL.
	if cut < 0 && colon && (port == "" || strings.Trim(port, "0123456789") != "") && !strings.HasPrefix(authority, "[") {
		if i := strings.IndexByte(line[len(plain):], '@'); i >= 0 {
			cut = len(plain) + i
		}
	}
	if cut < 0 {
		return 0
	}
	// It may have another @ and a slash in it.
	word := until(line[cut:], spaces)
	if next := aURL.FindStringIndex(word); next != nil {
		word = word[:next[0]]
	}
	return cut + max(strings.LastIndexByte(word, '@'), 0)
}

// until is s before the first of some characters.
func until(s, chars string) string {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return s[:i]
	}
	return s
}

// secretName is in the names of parameters that are not to be seen.
var secretName = regexp.MustCompile(`(?i)token|key|pass|pwd|pw|secret|sig|auth|cred|session|jwt|hmac|code\b`)

// parameters writes the rest of a URL, at the beginning of s, with the values of its
// secret parameters marked, behind ?, # and ; alike. It returns what is left: the next
// URL, which may be a parameter of this one, or what is behind a space.
func parameters(b *strings.Builder, s string) string {
	for s != "" {
		n := 1 + len(until(s[1:], "?#&;"+spaces))
		name, value, _ := strings.Cut(s[:n], "=")
		switch {
		case strings.ContainsAny(s[:1], spaces), aURL.MatchString(name):
			return s
		case value != "" && strings.ContainsAny(s[:1], "?#&;") && isSecret(name):
			// It may hold what should have been escaped.
			n = len(name) + 1
			value = until(s[n:], "&#"+spaces)
			// The text's own punctuation often stands right behind a URL.
			b.WriteString(name + "=" + mark + value[len(strings.TrimRight(value, ".,:)}]"+ends)):])
			s = s[n+len(value):]
		case aURL.MatchString(value):
			return s
		default:
			b.WriteString(s[:n])
			s = s[n:]
		}
	}
	return ""
}

// isSecret tells whether a parameter of that name is one, also where the name is escaped.
func isSecret(name string) bool {
	if plain, err := url.QueryUnescape(name); err == nil {
		name = plain
	}
	return secretName.MatchString(name)
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
	return Text(v.String()) // parameters may stand in the path, behind a semicolon
}

// Source is what may be shown of something that was given as a URL, whether it is one
// or not.
func Source(s string) string {
	s = until(s, "?#;")
	if i := strings.LastIndex(s, "@"); i >= 0 {
		s = mark + s[i:]
	}
	return s
}
