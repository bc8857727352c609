package carve

import (
	"bufio"
	"context"
	"encoding/json"

	"github.com/carve-video/carve/internal/atomicfile"
)

// Decisions is a sink that writes what was decided about each query, and why, as JSON
// lines. It writes one [tracking.Explanation] per frame.
type Decisions struct {
	// Path is the output file.
	Path string
	// Overwrite allows an existing file to be replaced.
	Overwrite bool
	// Protect lists files and folders that are never overwritten.
	Protect []string

	file *atomicfile.File
	undo *atomicfile.Undo
	w    *bufio.Writer
	json *json.Encoder
}

// Traits implements [Traited].
func (d *Decisions) Traits() Traits { return Traits{Name: "explanation", NoMasks: true} }

// Paths implements [FileSink].
func (d *Decisions) Paths() []string { return []string{d.Path} }

// Open creates the file, under a temporary name.
func (d *Decisions) Open(_ context.Context, s *Stream) (err error) {
	inputs := append([]string{s.Info.Path}, d.Protect...)
	d.file, err = atomicfile.Create(d.Path, atomicfile.Options{Overwrite: d.Overwrite, Inputs: inputs})
	if err != nil {
		return err
	}
	d.w = bufio.NewWriter(d.file)
	d.json = json.NewEncoder(d.w)
	d.json.SetEscapeHTML(false)
	return nil
}

// Write appends the line of a frame.
func (d *Decisions) Write(_ context.Context, f *Frame) error { return d.json.Encode(f.Decision) }

// Prepare writes the rest of the file to disk.
func (d *Decisions) Prepare() error {
	if err := d.w.Flush(); err != nil {
		return err
	}
	return d.file.Prepare()
}

// Commit gives the file its name.
func (d *Decisions) Commit() (err error) {
	d.undo, err = d.file.CommitUndoable()
	return err
}

// Abort removes the file, and restores the one that it replaced.
func (d *Decisions) Abort() {
	d.undo.Revert()
	if d.file != nil {
		d.file.Abort()
	}
}

// Close closes the file, and removes it if it was not committed.
func (d *Decisions) Close() error {
	d.undo.Keep()
	if d.file != nil {
		d.file.Abort() // does nothing after Commit
	}
	return nil
}
