package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"

	"github.com/carve-video/carve/tracking"
)

// An explanation is the file that --explain writes. Like every output it appears
// under its name only when it is whole. A nil one writes nothing.
type explanation struct {
	path string
	file *os.File
	w    *bufio.Writer
	err  error // of writing; told at the end
}

// openExplanation begins the file, if there is to be one, and has the session tell
// it of every frame.
func openExplanation(o *segmentOptions, session *tracking.Session) (*explanation, error) {
	if o.explain == "" {
		return nil, nil
	}
	if err := mayWrite(o.explain, o.overwrite); err != nil {
		return nil, err
	}
	f, err := os.Create(o.explain + ".part")
	if err != nil {
		return nil, fmt.Errorf("opening the explanation: %w", err)
	}
	e := &explanation{path: o.explain, file: f, w: bufio.NewWriter(f)}
	session.Tracker.Explain = func(x *tracking.Explanation) {
		if e.err == nil {
			e.err = writeJSONLine(e.w, x)
		}
	}
	return e, nil
}

// finish gives the file its name.
func (e *explanation) finish() error {
	if e == nil {
		return nil
	}
	err := errors.Join(e.err, e.w.Flush(), e.file.Close())
	e.file = nil
	if err == nil {
		err = os.Rename(e.path+".part", e.path)
	}
	if err != nil {
		os.Remove(e.path + ".part")
		return fmt.Errorf("writing the explanation %s: %w", e.path, err)
	}
	return nil
}

// abort removes what was written, unless it is finished.
func (e *explanation) abort() {
	if e != nil && e.file != nil {
		e.file.Close()
		os.Remove(e.path + ".part")
		e.file = nil
	}
}
