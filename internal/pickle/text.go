package pickle

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// text pushes a value in the form of protocol 0, which is a line of text.
func (m *machine) text(op byte) error {
	s, err := m.line()
	if err != nil {
		return err
	}
	var v any
	switch op {
	case 'I', 'L':
		v, err = textInt(s)
	case 'F':
		v, err = textFloat(s)
	case 'S':
		v, err = textString(s)
	case 'V':
		v = textUnicode(s)
	}
	if err != nil {
		return err
	}
	return m.push(v)
}

// recallText stores the top in the memo under a decimal key, or pushes the stored
// value.
func (m *machine) recallText(put bool) error {
	s, err := m.line()
	if err != nil {
		return err
	}
	key, err := strconv.ParseInt(s, 10, 64)
	switch {
	case err != nil:
		return fmt.Errorf("\"%s\" is not a number", printable(s))
	case put:
		return m.put(key)
	}
	return m.get(key)
}

// textInt parses "12", "12L", and bools, which are "01" and "00".
func textInt(s string) (any, error) {
	switch s {
	case "00":
		return false, nil
	case "01":
		return true, nil
	}
	n, err := strconv.ParseInt(strings.TrimSuffix(s, "L"), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("\"%s\" is not a number of 64 bits", printable(s))
	}
	return n, nil
}

// textFloat parses the output of Python's repr, including "inf" and "nan".
func textFloat(s string) (any, error) {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) { // out of range becomes infinite
		return nil, fmt.Errorf("failed parsing \"%s\" as a float", printable(s))
	}
	return f, nil
}

// textString parses a string literal of Python 2.
func textString(s string) (string, error) {
	bad := func() (string, error) { return "", fmt.Errorf("\"%s\" is not a string", printable(s)) }
	if len(s) < 2 || s[0] != s[len(s)-1] || s[0] != '\'' && s[0] != '"' {
		return bad()
	}
	body := s[1 : len(s)-1]
	out := make([]byte, 0, len(body))
	for i := 0; i < len(body); i++ {
		if body[i] != '\\' {
			out = append(out, body[i])
			continue
		}
		if i++; i == len(body) {
			return bad()
		}
		if at := strings.IndexByte(`\'"abfnrtv`, body[i]); at >= 0 {
			out = append(out, "\\'\"\a\b\f\n\r\t\v"[at])
			continue
		}
		// Python writes other bytes as \x and two digits, and never in octal.
		if body[i] != 'x' || i+2 >= len(body) {
			return bad()
		}
		n, err := strconv.ParseUint(body[i+1:i+3], 16, 8)
		if err != nil {
			return bad()
		}
		out = append(out, byte(n))
		i += 2
	}
	return string(out), nil
}

// textUnicode decodes a str in protocol 0: Latin-1, with \u and \U for other
// characters, line ends and backslashes. An incomplete escape stays as it is.
func textUnicode(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); i++ {
		if r, n := escaped(s[i:]); n > 0 {
			out.WriteRune(r)
			i += n - 1
			continue
		}
		out.WriteRune(rune(s[i]))
	}
	return out.String()
}

// escaped returns the character of the escape that s begins with, which is n bytes
// long.
func escaped(s string) (r rune, n int) {
	switch {
	case strings.HasPrefix(s, `\u`):
		n = 6
	case strings.HasPrefix(s, `\U`):
		n = 10
	}
	if n == 0 || n > len(s) {
		return 0, 0
	}
	v, err := strconv.ParseUint(s[2:n], 16, 31)
	if err != nil {
		return 0, 0
	}
	return rune(v), n
}
