// Package structure checks by its outer structure whether a media file is complete: by
// the sizes of its chunks and the marker at its end. It decodes no images and no sound.
//
// Demuxers are made to continue: several take a cut for the regular end of the file, or
// skip what they do not understand, without a message. [Check] finds such faults. Kinds
// of files that it does not know pass.
package structure

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// ErrBroken is wrapped by every fault that [Check] finds.
var ErrBroken = errors.New("the file is cut off or broken")

// ErrUnstated is returned by [Check] for a file whose writer did not know its size, and
// left the lengths unset.
var ErrUnstated = errors.New("the size of the file is not stated")

// A file is the file being checked.
type file struct {
	io.ReaderAt
	size  int64
	start int64 // what is before cannot be read
}

// maxSteps bounds the number of chunks walked: a day of video has some millions.
const maxSteps = 1 << 24

// kinds are tried in turn. is gets the first 512 bytes, padded with zeros if the file
// is shorter.
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

// Check returns what is broken in the file's structure, or nil. The error wraps
// [ErrBroken], is [ErrUnstated], or is a read error.
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

// CheckFile checks a file by name. Pipes and devices, which cannot be read a second
// time, pass.
func CheckFile(path string) error {
	// The kind of file is checked first, because opening a pipe may block for ever.
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

// beyond is the fault that something extends beyond the end of the file.
func (f file) beyond(what string, at, end int64) error {
	return broken("%s at byte %d goes on to byte %d, the file has %d", what, at, end, f.size)
}
