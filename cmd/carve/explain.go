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

// openExplanation begins the file, if there is to be one, which is told of every
// frame.
func openExplanation(o *segmentOptions) (*explanation, error) {
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
	return &explanation{path: o.explain, file: f, w: bufio.NewWriter(f)}, nil
}

// tell writes down what was decided in a frame.
func (e *explanation) tell(x *tracking.Explanation) {
	if e != nil && e.err == nil {
		e.err = writeJSONLine(e.w, x)
	}
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
