// Package structure looks whether a media file is whole by its outer structure:
// by the sizes of its chunks, by the mark at its end. It reads no pictures and
// no sound.
//
// Demuxers are made to go on: several take a cut for the plain end of the file,
// or step over what they cannot place, and do not say so. [Check] finds what
// they pass over. It says nothing of kinds of files that it does not know.
package structure

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// ErrBroken is what every fault found by [Check] wraps.
var ErrBroken = errors.New("the file is cut off or broken")

// ErrUnstated is what [Check] returns for a file whose writer did not know its
// size, and left what it states about length unfilled.
var ErrUnstated = errors.New("the size of the file is not stated")

// A file is what is checked.
type file struct {
	io.ReaderAt
	size  int64
	start int64 // what is before cannot be read
}

// maxSteps bounds how many chunks are walked: a day of video has some millions.
const maxSteps = 1 << 24

// kinds are looked at in turn; is sees the first 512 bytes, zeros after a
// shorter file.
var kinds = []struct {
	is    func(head []byte) bool
	check func(file) error
}{
	{isGIF, checkGIF},
	{isPNG, checkPNG},
	{isJPEG, checkJPEG},
	{isRIFF, checkRIFF},
	{isBoxes, checkBoxes},
	{isEBML, checkEBML},
	{isOgg, checkOgg},
	{isFLV, checkFLV},
	{isIVF, checkIVF},
	{isTS, checkTS},
	{isASF, checkASF},
	{isRM, checkRM},
	{isGXF, checkGXF},
	{isMXF, checkMXF},
	{isY4M, checkY4M},
}

// Check returns what is broken in the file's structure, nil if nothing is. The
// error wraps [ErrBroken], is [ErrUnstated], or is one of reading.
func Check(r io.ReaderAt, size int64) error {
	f := file{r, size, 0}
	head := make([]byte, 512)
	if n, err := r.ReadAt(head, 0); err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading at %d: %w", n, err)
	}
	for _, k := range kinds {
		if k.is(head) {
			return k.check(f)
		}
	}
	return nil
}

// CheckFile checks a file by name. Pipes and devices, which cannot be read a
// second time, pass.
func CheckFile(path string) error {
	// Looked at before it is opened: to open a pipe may wait for ever.
	fi, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("looking at the structure: %w", err)
	}
	if !fi.Mode().IsRegular() {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("looking at the structure: %w", err)
	}
	defer f.Close()
	return Check(f, fi.Size())
}

// bytes returns n bytes at off; ok is false beyond the end.
func (f file) bytes(off int64, n int) (b []byte, ok bool, err error) {
	if off < f.start || off > f.size-int64(n) {
		return nil, false, nil
	}
	b = make([]byte, n)
	if _, err := f.ReadAt(b, off); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, false, nil
		}
		return nil, false, fmt.Errorf("reading at %d: %w", off, err)
	}
	return b, true, nil
}

func broken(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrBroken, fmt.Sprintf(format, args...))
}

// beyond says that something goes further than the file.
func (f file) beyond(what string, at, end int64) error {
	return broken("%s at byte %d goes on to byte %d, the file has %d", what, at, end, f.size)
}
