package video

import (
	"errors"
	"fmt"
	"time"

	"github.com/carve-video/carve/internal/atomicfile"
)

// Errors of an input before the work starts. [Source.Initialize] wraps exactly one of
// them, with the path and the reason.
var (
	ErrNotFound         = errors.New("no such file")
	ErrIsDirectory      = atomicfile.ErrIsDirectory // of an output as well
	ErrUnreadable       = errors.New("cannot be read")
	ErrEmpty            = errors.New("is empty")
	ErrNotMedia         = errors.New("is not a media file, or its beginning is damaged")
	ErrNoVideo          = errors.New("has no video stream")
	ErrUnsupportedCodec = errors.New("has a video codec that cannot be decoded")
	ErrNoFrame          = errors.New("ends before its first frame")
	ErrTiles            = errors.New("is an image of tiles, not all of which can be read")
	ErrTooLarge         = errors.New("has frames that are too large for the memory")
	ErrNoPixels         = errors.New("has frames without pixels: their width or height is 0")
	ErrColours          = errors.New("has a colour matrix that this FFmpeg cannot convert to RGB")
	ErrPlaylist         = errors.New("is a playlist, which opens other files")
	ErrNotLocal         = errors.New("refers to another machine, which no file may do")
)

// Errors of an output before the work starts. [Sink.Initialize] wraps one of them, or
// an error of the file system.
var (
	ErrUnknownContainer = errors.New("has an extension that stands for no known container")
	ErrExists           = atomicfile.ErrExists
	ErrIsInput          = atomicfile.ErrIsInput
	ErrNoFolder         = atomicfile.ErrNoFolder
	ErrNotSeekable      = errors.New("is a pipe or a device, and this container needs a seekable file")
	ErrFormat           = errors.New("has an extension that stands for another container than its format")
	ErrStillContainer   = errors.New("is an image, which cannot hold a video")
	ErrCover            = errors.New("is a video, and the input has no video, only a cover")
	ErrNoEncoder        = errors.New("no encoder for it in this FFmpeg")
	ErrEncoderMismatch  = errors.New("cannot hold what the encoder makes")
)

// ErrReadBack says that a file was written and could not be read again. The output
// keeps its hidden name and is removed.
var ErrReadBack = errors.New("the file that was written cannot be read back")

// ErrFramesInUse says that all frames of a [Source] are in flight and that Read does
// not wait. Release frames earlier, raise Source.Frames, call Source.Reserve, or read
// with Source.Next if another goroutine releases frames.
var ErrFramesInUse = errors.New("all frames of the source are in use")

var errOutOfMemory = errors.New("out of memory")

// A PathError says what is wrong with a file. It unwraps to one of the errors above or
// to the cause.
type PathError struct {
	Path   string
	Format string // of an output that was given one
	Err    error  // the kind of error
	Detail string // what FFmpeg or the system said, possibly empty
}

func (e *PathError) Error() string {
	if e.Detail != "" {
		return fmt.Sprintf("%s: %v (%s)", e.Path, e.Err, e.Detail)
	}
	return fmt.Sprintf("%s: %v", e.Path, e.Err)
}

func (e *PathError) Unwrap() error { return e.Err }

// Damage says what of an input was broken: what FFmpeg's demuxer and decoder call an
// error or mark as corrupt from the first key frame on, and an end that comes before
// the one that the file states.
type Damage struct {
	Count int64         // broken places; one with several signs counts once
	First time.Duration // time of the first one, counted from the first frame
	Err   error         // cause of the first one
}

// A DamageError stops a strict [Source] at its first damage.
type DamageError struct{ Damage }

func (e *DamageError) Error() string {
	return fmt.Sprintf("input is damaged at %.3f s: %v", e.First.Seconds(), e.Err)
}

func (e *DamageError) Unwrap() error { return e.Err }
