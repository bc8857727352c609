package carve

import (
	"bufio"
	"context"
	"encoding/json"

	"github.com/carve-video/carve/internal/atomicfile"
)

// Decisions writes a file of JSON, one object a line for every frame: what was decided
// about each query, and why. An object is a [tracking.Explanation].
type Decisions struct {
	// Path is the file to write.
	Path string
	// Overwrite replaces a file that exists.
	Overwrite bool
	// Protect names files that are never replaced, and folders whose files are not.
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

// Open begins the file.
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

// Write appends a line.
func (d *Decisions) Write(_ context.Context, f *Frame) error { return d.json.Encode(f.Decision) }

// Prepare brings the file to the disk.
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

// Abort removes the file; what had its name before has it again.
func (d *Decisions) Abort() {
	d.undo.Revert()
	if d.file != nil {
		d.file.Abort()
	}
}

// Close ends the use of the file.
func (d *Decisions) Close() error {
	d.undo.Keep()
	if d.file != nil {
		d.file.Abort() // does nothing to a file that has its name
	}
	return nil
}
