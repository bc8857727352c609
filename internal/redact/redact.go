// Package redact removes passwords, tokens and signatures from text that is shown or
// stored.
//
// Names of inputs, outputs, models and mirrors may be URLs, and a URL may contain a
// secret: rtsp://user:secret@camera/live, https://host/file?token=secret. It can occur
// in error messages, of this program and of libraries, in logs and in results, and all
// of those are pasted into bug reports.
package redact

import (
	"bytes"
	"encoding/json"
	"net/url"
	"regexp"
	"strings"
)

// mark replaces a secret.
const mark = "***"

// aURL matches the beginning of a URL. One slash is enough, because cleaning a path
// leaves one of two. One letter is a drive of Windows.
var aURL = regexp.MustCompile(`[A-Za-z][A-Za-z0-9+.-]+:/+`)

// Text returns s with the secrets of all URLs in it marked. The user name is removed
// with the password, because it may be a token. If the end of a password is ambiguous,
// because it has characters that should have been escaped, more is removed rather than
// less.
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
	// ends are the characters that end a URL in a text. A secret may contain them all
	// the same, if the user did not escape them.
	ends = spaces + "\"'`<>"
)

// farthest is the maximal distance of an @ from the scheme.
const farthest = 4096

// credentials returns the position of the @ after the credentials, or 0 if there are
// none. s begins after the scheme.
func credentials(s string) int {
	if strings.HasPrefix(s, mark+"@") {
		return len(mark) // they have been removed before
	}
	line := until(s[:min(len(s), farthest)], "\n")
	plain := until(line, ends)
	// Everything before an @ may be a secret, up to the path. That removes too much
	// where the @ belongs to the text, as in "https://host, see me@there".
	cut := strings.LastIndexByte(until(line, "/"), '@')
	authority := until(plain, "/?#\\")
	host, port, colon := strings.Cut(authority, ":")
	if strings.Contains(authority, "@") || colon && host != "" {
		// Also rtsp://user:pass/word@host.
		cut = max(cut, strings.LastIndexByte(plain, '@'))
	}
	// What follows the colon is not a port, so the password may continue after what
	// looked like the end of the URL.
	if cut < 0 && colon && (port == "" || strings.Trim(port, "0123456789") != "") && !strings.HasPrefix(authority, "[") {
		if i := strings.IndexByte(line[len(plain):], '@'); i >= 0 {
			cut = len(plain) + i
		}
	}
	if cut < 0 {
		return 0
	}
	// It may contain another @ and a slash.
	word := until(line[cut:], spaces)
	if next := aURL.FindStringIndex(word); next != nil {
		word = word[:next[0]]
	}
	return cut + max(strings.LastIndexByte(word, '@'), 0)
}

// until returns s up to the first of some characters.
func until(s, chars string) string {
	if i := strings.IndexAny(s, chars); i >= 0 {
		return s[:i]
	}
	return s
}

// secretName matches the names of secret parameters.
var secretName = regexp.MustCompile(`(?i)token|key|pass|pwd|pw|secret|sig|auth|cred|session|jwt|hmac|code\b`)

// parameters writes the rest of a URL, which s begins with, with the values of its
// secret parameters marked, after ?, # and ; alike. It returns what is left: the next
// URL, which may be a parameter of this one, or the text after a space.
func parameters(b *strings.Builder, s string) string {
	for s != "" {
		n := 1 + len(until(s[1:], "?#&;"+spaces))
		name, value, _ := strings.Cut(s[:n], "=")
		switch {
		case strings.ContainsAny(s[:1], spaces), aURL.MatchString(name):
			return s
		case value != "" && strings.ContainsAny(s[:1], "?#&;") && isSecret(name):
			// It may contain characters that should have been escaped.
			n = len(name) + 1
			value = until(s[n:], "&#"+spaces)
			// Punctuation of the text often follows a URL directly.
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

// isSecret tells whether a parameter with this name is secret. The name may be escaped.
func isSecret(name string) bool {
	if plain, err := url.QueryUnescape(name); err == nil {
		name = plain
	}
	return secretName.MatchString(name)
}

// aString matches a JSON string.
var aString = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// JSON applies [Text] to each string of a JSON text, which otherwise stays the same
// JSON.
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

// URL returns u without user, query and fragment, for messages in which only the place
// matters.
func URL(u *url.URL) string {
	v := *u
	v.User, v.RawQuery, v.ForceQuery, v.Fragment, v.RawFragment = nil, "", false, "", ""
	return Text(v.String()) // the path may have parameters, after a semicolon
}

// Source returns what may be shown of something that was given as a URL, valid or not.
func Source(s string) string {
	s = until(s, "?#;")
	if i := strings.LastIndex(s, "@"); i >= 0 {
		s = mark + s[i:]
	}
	return s
}
