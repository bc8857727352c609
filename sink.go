package carve

import (
	"context"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/video"
)

// A Sink takes what a run finds, frame by frame.
//
// Open comes first, then Write for every frame, in order, then Close, once, also after a
// failed Open or Write. Write has a goroutine of the sink's own. All other methods,
// those of [Committer] included, are called from the goroutine that called [Run]. No two
// calls of one sink overlap.
//
// There are three classes of sinks:
//
//   - A file shows when it is whole, or never. It is a [Committer]: the outputs of a run
//     are all prepared before the first gets its name, and a run that fails leaves none.
//   - A series writes many files, each of which is whole when it is there. Those stay
//     after an error. It is a [Committer] if it writes a manifest last: a series without
//     its manifest is not complete.
//   - A stream, such as standard output or a connection, takes bytes at once. It commits
//     nothing.
type Sink interface {
	// Open is told what is to come, before the first frame is read.
	Open(ctx context.Context, s *Stream) error
	// Write takes a frame, which is lent until it returns.
	Write(ctx context.Context, f *Frame) error
	// Close ends the use of the sink. An error of a sink that is no Committer is one of
	// the run: bytes were lost.
	Close() error
}

// A Committer is a sink with an output that shows only when it is whole. After the last
// Write a run calls Prepare of each, then Commit of each, then Close. When something
// fails before the last Commit has succeeded it calls Abort of each instead, also of
// those that are committed.
type Committer interface {
	Sink
	// Prepare brings everything to the disk. After it Commit has only names to give.
	Prepare() error
	// Commit gives the output its name.
	Commit() error
	// Abort takes everything back; what had the name before has it again. A series leaves
	// the files that are whole, without a manifest.
	Abort()
}

// Traits say how a run treats a sink.
type Traits struct {
	// Name is what the sink is called in reports.
	Name string
	// Drop says that frames which come while the sink is busy are dropped, and counted;
	// else the run waits for it. It is for live outputs.
	Drop bool
	// Optional says that a failure of Write, or of Prepare, does not end the run: the sink
	// gets no more frames, its output is given up, and the report has the error.
	Optional bool
	// NoMasks says that the sink has no use for [Layer.Mask]. A run whose sinks all say so
	// does not compute them.
	NoMasks bool
}

// A Traited sink says what its traits are. Others have the zero value.
type Traited interface{ Traits() Traits }

// A FileSink says which files it will write. A run does not begin where two sinks name one
// file.
type FileSink interface{ Paths() []string }

// A Stream describes what a sink will be given.
type Stream struct {
	// Source is where the frames come from, and Info what it says of them.
	Source Source
	Info   video.Info
	// Queries are what is looked for at first; those of a frame are in [Frame.Queries].
	Queries []car.Query
	// Width and Height are the size of [car.Result]s: upright, with square pixels.
	Width, Height int
	// Threads bounds the goroutines of work on pixels; at least 1.
	Threads int
}

// A SinkFunc is a sink that is only a function, called for every frame.
type SinkFunc func(ctx context.Context, f *Frame) error

// Open does nothing.
func (SinkFunc) Open(context.Context, *Stream) error { return nil }

// Write calls the function.
func (s SinkFunc) Write(ctx context.Context, f *Frame) error { return s(ctx, f) }

// Close does nothing.
func (SinkFunc) Close() error { return nil }
