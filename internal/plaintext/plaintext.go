// Package plaintext reads texts that people write by hand: lists, queries,
// scripts. All of carve's readers of such files go through it, so that all of
// them take the same and refuse the same.
//
// A text is UTF-8. A byte-order mark is taken off; lines may end as on Windows.
// What cannot be seen is refused, with line and column: control characters,
// which would reach a terminal, and the marks that turn the direction of writing
// round or end a line where no editor shows an end, with which a text can look
// like another one. So is a file that is none: a folder, a device, or far more
// than anybody writes.
package plaintext

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"
)

// An Error says what is wrong with a text, and where. Lines and columns count
// from 1, columns in characters.
type Error struct {
	Line   int // 0 for a text of one line that stands in no file
	Column int
	What   string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("character %d %s", e.Column, e.What)
	}
	return fmt.Sprintf("line %d, column %d: this %s", e.Line, e.Column, e.What)
}

// A TooLargeError says that there is more than will be read.
type TooLargeError struct{ Limit int64 }

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the file is larger than %d bytes", e.Limit)
}

// errUTF16 is about a file that begins with the mark of another encoding.
var errUTF16 = errors.New("the file is UTF-16, not UTF-8: save it as UTF-8")

// Read reads a whole text of at most limit bytes and checks it. What it returns
// has no byte-order mark.
func Read(r io.Reader, limit int64) ([]byte, error) {
	data, err := ReadAll(r, limit)
	if err != nil {
		return nil, err
	}
	return Clean(data)
}

// Clean takes the byte-order mark off a text and finds what is wrong with the
// rest.
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

// Check finds what is wrong with a text of one line, such as a label. Unlike in
// a file there is no place for tabs and line ends either.
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

// wrong says what is wrong with a character, or nothing.
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

// Printable returns a text with a space for every character that Check refuses:
// for data sets, which are as they are.
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

// Open opens a file that somebody named. It is a file with an end, or a pipe,
// which a shell makes for <(command).
//
// What is come across in a folder is opened by package bounded: a pipe that lies
// there would be waited for without end.
func Open(path string) (*os.File, error) {
	// A device is not even opened: some do something then.
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

// ReadFile reads a file that somebody named, of at most limit bytes, and does not
// look into it.
func ReadFile(path string, limit int64) ([]byte, error) {
	f, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	// What is known to be too large is not read first.
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
