package carve

import (
	"context"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/video"
)

// A Sink takes the frames of a run, with their results.
//
// A run calls Open first, then Write for every frame, in order, then Close once, also after
// a failed Open or Write. Write is called from a goroutine of the sink's own. All other
// methods, those of [Committer] included, are called from the goroutine that called [Run].
// No two calls of one sink overlap.
//
// There are three kinds of sinks:
//
//   - A file appears when it is complete, or never. It is a [Committer]: all outputs of a
//     run are prepared before the first is committed, and a run that fails leaves none.
//   - A series writes many files, and each is complete when it appears. They stay after an
//     error. If it writes a manifest last it is a [Committer]: without its manifest, a
//     series is incomplete.
//   - A stream, such as standard output or a connection, sends its bytes at once. It
//     commits nothing.
type Sink interface {
	// Open prepares the sink. It is called before the first frame is read.
	Open(ctx context.Context, s *Stream) error
	// Write takes a frame, which is valid until Write returns.
	Write(ctx context.Context, f *Frame) error
	// Close ends the use of the sink. An error ends the run if the sink is no Committer,
	// because bytes may be lost.
	Close() error
}

// A Committer is a sink whose output appears only when it is complete. After the last
// Write, a run calls Prepare of all committers, then Commit of all, then Close. If
// something fails before the last Commit has succeeded, it calls Abort of all of them, also
// of those that are committed.
type Committer interface {
	Sink
	// Prepare writes everything to disk, so that Commit only has to rename.
	Prepare() error
	// Commit gives the output its name.
	Commit() error
	// Abort removes the output, and restores the files that it replaced. A series keeps the
	// files that are complete, without a manifest.
	Abort()
}

// Traits say how a run treats a sink.
type Traits struct {
	// Name is the name of the sink in reports and errors.
	Name string
	// Drop says that frames which come while the sink is busy are dropped and counted.
	// Otherwise the run waits for the sink. Drop is for live outputs.
	Drop bool
	// Optional says that a failure of Write or Prepare does not end the run. The sink gets
	// no more frames, its output is aborted, and the error is in the report.
	Optional bool
	// NoMasks says that the sink does not use [Layer.Mask]. If this is so for all sinks,
	// the masks are not computed.
	NoMasks bool
}

// A Traited is a sink that has traits. The traits of other sinks are the zero value.
type Traited interface{ Traits() Traits }

// A Stateful sink has state that passes from frame to frame, and that a checkpoint of the
// run has to contain. The methods are called as Write is, SetState after Open.
type Stateful interface {
	// State returns the state after the last Write.
	State() ([]byte, error)
	// SetState sets the state that a sink of the same kind had in an earlier run.
	SetState(state []byte) error
}

// A FileSink is a sink that knows which files it will write. Run returns an error if two
// sinks write to one file, or a sink to the input.
type FileSink interface{ Paths() []string }

// A Stream describes the frames that a sink will get.
type Stream struct {
	// Source gives the frames, and Info describes them.
	Source Source
	Info   video.Info
	// Queries are those of the first frame. Each frame has its own, see [Frame.Queries].
	Queries []car.Query
	// Width and Height are the size of each [car.Result]: upright, with square pixels.
	Width, Height int
	// Threads bounds the goroutines of work on pixels. It is at least 1.
	Threads int
}

// A SinkFunc is a sink made of a function, which is called for every frame.
type SinkFunc func(ctx context.Context, f *Frame) error

// Open does nothing.
func (SinkFunc) Open(context.Context, *Stream) error { return nil }

// Write calls the function.
func (s SinkFunc) Write(ctx context.Context, f *Frame) error { return s(ctx, f) }

// Close does nothing.
func (SinkFunc) Close() error { return nil }
