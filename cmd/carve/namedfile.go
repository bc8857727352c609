package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/carve-video/carve/internal/plaintext"
	"github.com/carve-video/carve/internal/ui"
)

// openText opens a text file that the command line names. what is its content, and hint
// describes such files.
func openText(what, path, hint string) (*os.File, error) {
	f, err := plaintext.Open(path)
	if err != nil {
		return nil, openTextError(what, path, err, hint)
	}
	return f, nil
}

// openTextError is the error of a text file that cannot be opened, in the words that are
// used for inputs. A missing file, or one that is no regular file, is a usage error.
func openTextError(what, path string, err error, hint string) error {
	var system *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return ui.WithHint(ui.Usagef("reading %s from %s: no such file", what, path), hint)
	case errors.As(err, &system):
		return fmt.Errorf("reading %s from %s: it cannot be read (%w)", what, path, system.Err)
	}
	return ui.WithHint(ui.UsageError{Err: fmt.Errorf("reading %s: %w", what, err)}, hint)
}

// textFileError is the error of a text file whose content is wrong, which is a usage
// error, or that could not be read.
func textFileError(err error, hint string) error {
	if pe := (*fs.PathError)(nil); errors.As(err, &pe) {
		return err
	}
	return ui.WithHint(ui.UsageError{Err: err}, hint)
}
