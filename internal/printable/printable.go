// Package printable makes foreign text safe to print.
//
// A label, the name of a file, a tag in a video or a library's message may have any
// contents. On a terminal, an escape character in it moves the cursor, clears the
// screen or sets the window's title, and a line break makes one message look like two.
// Here such characters become readable escapes, and everything else stays: letters of
// any script, emoji, accents.
package printable

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Text returns s on one line: line breaks, tabs, control and formatting characters and
// bytes that are not UTF-8 become escapes such as \n, \u001b and \xff. Backslashes are
// not escaped, so the result cannot be decoded.
func Text(s string) string {
	if unchanged(s, breaksLine) {
		return s
	}
	return string(add(make([]byte, 0, len(s)+16), s, breaksLine))
}

// Lines is like [Text], but keeps line breaks and tabs.
func Lines(s string) string {
	if unchanged(s, acts) {
		return s
	}
	return string(add(make([]byte, 0, len(s)+16), s, acts))
}

// acts tells whether a terminal would do something with r other than show it. The two
// joiners are allowed: they only shape what is shown, and emoji and the scripts of
// India and Persia need them.
func acts(r rune) bool {
	switch {
	case r == '\n' || r == '\t':
		return false
	case r >= ' ' && r < 0x7f:
		return false
	case r == '\u200c' || r == '\u200d':
		return false
	}
	return unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp)
}

func breaksLine(r rune) bool { return r == '\n' || r == '\t' || acts(r) }

// unchanged tells whether s needs no escapes.
func unchanged(s string, bad func(rune) bool) bool {
	return utf8.ValidString(s) && strings.IndexFunc(s, bad) < 0
}

const hex = "0123456789abcdef"

// add appends s with escapes for bad characters. They are JSON's, so that s may also be
// encoded JSON. Only a byte that is not UTF-8 has no JSON escape, and cannot occur in
// JSON.
func add(to []byte, s string, bad func(rune) bool) []byte {
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			to = append(to, '\\', 'x', hex[s[i]>>4], hex[s[i]&15])
		case !bad(r):
			to = append(to, s[i:i+size]...)
		case r == '\n':
			to = append(to, `\n`...)
		case r == '\t':
			to = append(to, `\t`...)
		case r == '\r':
			to = append(to, `\r`...)
		case r > 0xffff:
			high, low := 0xd800+(r-0x10000)>>10, 0xdc00+(r-0x10000)&0x3ff
			to = unit(unit(to, high), low)
		default:
			to = unit(to, r)
		}
		i += size
	}
	return to
}

// unit appends a UTF-16 unit in JSON's form.
func unit(to []byte, r rune) []byte {
	return append(to, '\\', 'u', hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}
