package main

import (
	"bufio"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/tracking"
)

// An explanation is the file that --explain writes. A nil one writes nothing.
type explanation struct {
	file *atomicfile.File
	w    *bufio.Writer
	fail func(error) // ends the run: a full disk is no reason to work for hours first

	mu      sync.Mutex
	waiting []tracking.Explanation // of frames that are not drawn yet
	err     error                  // of writing
}

// A questionnaire counts what the model was asked. It is filled by one goroutine and
// read when that has ended.
type questionnaire struct {
	keys          int64   // frames that the model looked at
	asked, judged []int64 // of each query, in how many frames
}

func (n *questionnaire) count(x *tracking.Explanation) {
	if n.asked == nil {
		n.asked, n.judged = make([]int64, len(x.Queries)), make([]int64, len(x.Queries))
	}
	if x.Key != "" {
		n.keys++
	}
	for i, q := range x.Queries {
		if q.Asked != "" {
			n.asked[i]++
			if q.Verdict != "spared" {
				n.judged[i]++
			}
		}
	}
}

// openExplanation begins the file, unless none is asked for. fail is called with the
// first error of writing.
func openExplanation(o *segmentOptions, overwrite bool, fail func(error)) (*explanation, error) {
	if o.explain == "" {
		return nil, nil
	}
	f, err := atomicfile.Create(o.explain, atomicfile.Options{Overwrite: overwrite, Inputs: o.inputs()})
	if err != nil {
		return nil, outputError(err)
	}
	return &explanation{file: f, w: bufio.NewWriter(f), fail: fail}, nil
}

// tell takes in what was decided in a frame. It is written when the frame is drawn: only
// then is it known what it shows.
func (e *explanation) tell(x *tracking.Explanation) {
	if e == nil {
		return
	}
	kept := *x
	kept.Queries = slices.Clone(x.Queries)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.waiting = append(e.waiting, kept)
}

// show writes down what was decided in a frame and what it shows.
func (e *explanation) show(frame int64, found []car.Found) {
	if e == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	i := slices.IndexFunc(e.waiting, func(x tracking.Explanation) bool { return x.Frame == frame })
	if i < 0 || e.err != nil {
		return
	}
	x := e.waiting[i]
	e.waiting = slices.Delete(e.waiting, i, i+1)
	for q := range x.Queries {
		shown := slices.ContainsFunc(found, func(f car.Found) bool { return f.Query == q })
		x.Queries[q].Shown = &shown
	}
	if e.err = writeJSONLine(e.w, &x); e.err != nil {
		e.fail(fmt.Errorf("writing the explanation: %w", e.err))
	}
}

// prepare brings the file to the disk.
func (e *explanation) prepare() error {
	if e == nil {
		return nil
	}
	err := errors.Join(e.err, e.w.Flush())
	if err == nil {
		err = e.file.Prepare()
	}
	if err != nil {
		return fmt.Errorf("writing the explanation: %w", err)
	}
	return nil
}

// commit gives the file its name, until it is taken back.
func (e *explanation) commit() (*atomicfile.Undo, error) {
	if e == nil {
		return nil, nil
	}
	undo, err := e.file.CommitUndoable()
	if err != nil {
		return nil, fmt.Errorf("writing the explanation: %w", err)
	}
	return undo, nil
}

// abort removes what was written, unless it is finished.
func (e *explanation) abort() {
	if e != nil {
		e.file.Abort()
	}
}
