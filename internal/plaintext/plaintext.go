// Package plaintext reads texts that people write by hand: lists, queries, scripts. All
// of carve's readers of such files use it, so that all accept and refuse the same.
//
// A text is UTF-8. A byte-order mark is removed; Windows line ends are allowed.
// Invisible characters are refused, with line and column: control characters, which
// could act on a terminal, and characters that reverse the writing direction or end a
// line where no editor shows it, which can make a text look like another one. Folders,
// devices and files that are far too large are refused as well.
package plaintext

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"
)

// An Error says what is wrong with a text, and where. Lines and columns count from 1,
// columns in characters.
type Error struct {
	Line   int // 0 for a single line that is not in a file
	Column int
	What   string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("character %d %s", e.Column, e.What)
	}
	return fmt.Sprintf("line %d, column %d: this %s", e.Line, e.Column, e.What)
}

// A TooLargeError says that a text is larger than its limit.
type TooLargeError struct{ Limit int64 }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the file is larger than %d bytes", e.Limit)
}

// errUTF16 is for a file that begins with the byte-order mark of UTF-16.
var errUTF16 = errors.New("the file is UTF-16, not UTF-8: save it as UTF-8")

// Read reads and checks a whole text of at most limit bytes. The result has no
// byte-order mark.
func Read(r io.Reader, limit int64) ([]byte, error) {
	data, err := ReadAll(r, limit)
	if err != nil {
		return nil, err
	}
	return Clean(data)
}

// Clean removes the byte-order mark of a text and returns what is wrong with the rest.
func Clean(data []byte) ([]byte, error) {
	if bytes.HasPrefix(data, []byte{0xff, 0xfe}) || bytes.HasPrefix(data, []byte{0xfe, 0xff}) {
		return nil, errUTF16
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	line, column := 1, 1
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		what := ""
		switch {
		case r == '\n', r == '\t', r == '\r' && i+1 < len(data) && data[i+1] == '\n':
		case r == '\r':
			what = "is a carriage return that ends no line"
		default:
			what = wrong(r, size)
		}
		if what != "" {
			return nil, &Error{Line: line, Column: column, What: what}
		}
		i += size
		if column++; r == '\n' {
			line, column = line+1, 1
		}
	}
	return data, nil
}

// Check returns what is wrong with a text of one line, such as a label. Unlike in a
// file, tabs and line ends are refused too.
func Check(s string) error {
	column := 1
	for i := 0; i < len(s); column++ {
		r, size := utf8.DecodeRuneInString(s[i:])
		if what := wrong(r, size); what != "" {
			return &Error{Column: column, What: what}
		}
		i += size
	}
	return nil
}

// wrong returns what is wrong with a character, or "".
func wrong(r rune, size int) string {
	switch {
	case r == utf8.RuneError && size <= 1:
		return "is not UTF-8"
	case r < 0x20, r >= 0x7f && r < 0xa0:
		return fmt.Sprintf("is the control character U+%04X", r)
	case r == 0x2028, r == 0x2029:
		return fmt.Sprintf("is the line separator U+%04X", r)
	case r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069:
		return fmt.Sprintf("is U+%04X, which turns the direction of writing round", r)
	}
	return ""
}

// Printable replaces every character that Check refuses by a space. It is for data
// sets, whose texts cannot be changed.
func Printable(s string) string {
	if Check(s) == nil {
		return s
	}
	var b bytes.Buffer
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if wrong(r, size) != "" {
			r = ' '
		}
		b.WriteRune(r)
		i += size
	}
	return b.String()
}

// Open opens a file named by the user. It is a regular file, or a pipe, which a shell
// makes for <(command).
//
// Files found in a folder are opened by package bounded instead: a pipe there could
// block for ever.
func Open(path string) (*os.File, error) {
	// Devices are not opened: opening some of them has effects.
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if err := readable(path, info); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil {
		err = readable(path, info)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func readable(path string, info os.FileInfo) error {
	switch mode := info.Mode(); {
	case mode.IsRegular(), mode&os.ModeNamedPipe != 0:
		return nil
	case mode.IsDir():
		return fmt.Errorf("%s is a folder, not a file", path)
	case mode&os.ModeSocket != 0:
		return fmt.Errorf("%s is a socket, not a file", path)
	}
	return fmt.Errorf("%s is a device, not a file", path)
}

// ReadFile reads a file named by the user, of at most limit bytes, without checking its
// contents.
func ReadFile(path string, limit int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// A file known to be too large is not read.
	if info, err := f.Stat(); err == nil && info.Size() > limit {
		return nil, fmt.Errorf("reading %s: %w", path, &TooLargeError{limit})
	}
	data, err := ReadAll(f, limit)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return data, nil
}

// ReadAll reads at most limit bytes; more are an error.
func ReadAll(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limit {
		return nil, &TooLargeError{limit}
	}
	return data, nil
}
