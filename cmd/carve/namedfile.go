package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/carve-video/carve/internal/plaintext"
	"github.com/carve-video/carve/internal/ui"
)

// openText opens a file of text that the command line names. what says what is read from
// it, and hint what such a file is.
func openText(what, path, hint string) (*os.File, error) {
	f, err := plaintext.Open(path)
	if err != nil {
		return nil, unopened(what, path, err, hint)
	}
	return f, nil
}

// unopened is the error of a file of text that the command line names and that cannot be
// opened: in the words that an input has, and not in those of the system. That there is
// none of that name, or no file, is a mistake of the command line.
func unopened(what, path string, err error, hint string) error {
	var system *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ui.WithHint(ui.Usagef("reading %s from %s: no such file", what, path), hint)
	case errors.As(err, &system):
		return fmt.Errorf("reading %s from %s: it cannot be read (%w)", what, path, system.Err)
	}
	return ui.WithHint(ui.UsageError{Err: fmt.Errorf("reading %s: %w", what, err)}, hint)
}

// textFileError is the error of a file of text that the command line names: what it
// says is wrong, or it could not be read.
func textFileError(err error, hint string) error {
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		return err
	}
	return ui.WithHint(ui.UsageError{Err: err}, hint)
}
