package evaluate

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"

	"github.com/gofrs/flock"

	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/dataset"
	"github.com/carve-video/carve/internal/ui"
)

// Results is the file of an evaluation: a head that says how it was made, and a line
// for every sample. The file is only appended to, so that an interrupted run loses at
// most one line and can be continued after the last whole one. No file is made or
// changed before the first sample is complete.
type Results struct {
	path  string
	head  Head
	file  *os.File // nil until the file is open
	lock  *flock.Flock
	whole int64 // bytes of whole lines; 0 if the file is still to be made
	begun bool  // this run has written to it
	done  map[string]*SampleResult
	list  []*SampleResult // in the order of the file
}

// Why a file cannot be continued.
var (
	ErrBusy          = errors.New("another run is writing")
	ErrNotResults    = errors.New("is another kind of file")
	ErrOtherSettings = errors.New("was made with other settings")
)

// OpenResults opens a file to append to, or prepares a new one. It appends to a file,
// or replaces it with anew, only if it is a results file.
func OpenResults(path string, anew bool, head Head) (_ *Results, err error) {
	if err := areResults(path); err != nil {
		return nil, err
	}
	r := &Results{path: path, head: head, done: make(map[string]*SampleResult)}
	defer func() {
		if err != nil {
			r.Close()
		}
	}()
	err = r.open()
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return r, nil
	case err != nil:
		return nil, err
	}
	if !anew {
		if r.whole, err = r.read(path, head); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// open opens and locks the existing file.
func (r *Results) open() (err error) {
	if r.file, err = os.OpenFile(r.path, os.O_RDWR, 0); err != nil {
		r.file = nil
		return fmt.Errorf("opening results: %w", err)
	}
	r.lock = flock.New(r.path, flock.SetFlag(os.O_RDWR))
	// A file system without locks is accepted.
	if ok, err := r.lock.TryLock(); !ok && err == nil {
		return fmt.Errorf("opening results: %w %s", ErrBusy, r.path)
	}
	return nil
}

// areResults checks that the path is free or has a results file. No other file may be
// truncated or replaced.
func areResults(path string) error {
	other := fmt.Errorf("opening results: %s %w", path, ErrNotResults)
	fi, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("opening results: %w", err)
	case !fi.Mode().IsRegular():
		return other
	case fi.Size() == 0:
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("opening results: %w", err)
	}
	defer f.Close()
	// The first line holds the settings of a run, a few kilobytes.
	line, err := bufio.NewReader(io.LimitReader(f, 1<<20)).ReadBytes('\n')
	var head Head
	if err != nil || json.Unmarshal(line, &head) != nil || head.MessageType != "run" {
		return other
	}
	return nil
}

// read reads the samples of the file, and returns how many bytes are whole lines.
func (r *Results) read(path string, head Head) (whole int64, err error) {
	lines := bufio.NewReader(r.file)
	for n := 1; ; n++ {
		line, err := lines.ReadBytes('\n')
		if errors.Is(err, io.EOF) {
			return whole, nil // a line without a line feed is not whole
		}
		if err != nil {
			return 0, fmt.Errorf("reading results %s: %w", path, err)
		}
		if n == 1 {
			var found Head
			if err := json.Unmarshal(line, &found); err != nil {
				return 0, fmt.Errorf("reading results %s: line 1: %w", path, err)
			}
			found.Version, found.Notes = head.Version, head.Notes // may differ
			if !reflect.DeepEqual(found, head) {
				return 0, fmt.Errorf("opening results: %s %w", path, ErrOtherSettings)
			}
		} else {
			s := new(SampleResult)
			if err := json.Unmarshal(bytes.TrimSpace(line), s); err != nil || s.MessageType != "sample" {
				return 0, fmt.Errorf("reading results %s: line %d is no sample", path, n)
			}
			r.done[s.ID] = s
			r.list = append(r.list, s)
		}
		whole += int64(len(line))
	}
}

func (r *Results) has(id string) bool { return r.done[id] != nil }

// Len returns the number of samples.
func (r *Results) Len() int { return len(r.list) }

// Lacking returns the samples of a set that the results do not have yet.
func (r *Results) Lacking(set *dataset.Set) []*dataset.Sample {
	var lacking []*dataset.Sample
	for i := range set.Samples {
		if s := &set.Samples[i]; !r.has(s.ID) {
			lacking = append(lacking, s)
		}
	}
	return lacking
}

// Add writes a sample. The first one makes the file, or cuts off what an interrupted
// run left after the last whole line.
func (r *Results) Add(s *SampleResult) error {
	err := r.write(s)
	if err != nil {
		return fmt.Errorf("writing results: %w", err)
	}
	r.done[s.ID] = s
	r.list = append(r.list, s)
	return nil
}

func (r *Results) write(s *SampleResult) error {
	var text bytes.Buffer
	if r.whole == 0 {
		if err := ui.WriteJSONLine(&text, r.head); err != nil {
			return err
		}
	}
	if err := ui.WriteJSONLine(&text, s); err != nil {
		return err
	}
	if r.whole == 0 {
		return r.begin(text.Bytes())
	}
	if !r.begun {
		if err := r.file.Truncate(r.whole); err != nil {
			return err
		}
		r.begun = true
	}
	if _, err := r.file.WriteAt(text.Bytes(), r.whole); err != nil {
		return errors.Join(err, r.file.Truncate(r.whole))
	}
	r.whole += int64(text.Len())
	return nil
}

// begin makes the file. The file it replaces stays until the new one is whole.
func (r *Results) begin(text []byte) error {
	replaces := r.file != nil // it has been checked and is locked
	if err := atomicfile.WriteFile(r.path, text, atomicfile.Options{Overwrite: replaces}); err != nil {
		return err
	}
	r.Close()
	if err := r.open(); err != nil {
		return err
	}
	r.whole, r.begun = int64(len(text)), true
	return nil
}

// Close closes the file and unlocks it for other runs.
func (r *Results) Close() error {
	if r.file == nil {
		return nil
	}
	return errors.Join(r.file.Close(), r.lock.Close())
}
