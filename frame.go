package carve

import (
	"image"
	"sync/atomic"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking"
	"github.com/carve-video/carve/video"
)

// A Frame is what a run knows of one frame when it is done with it. It is lent: what is
// to stay is copied. Nothing of it may be changed, since other sinks look at it at the
// same time; [video.Frame.Share] makes a picture to draw into.
type Frame struct {
	Index int64         // position in display order, from 0
	Time  time.Duration // presentation time

	// Picture is the frame as it was decoded.
	Picture *video.Frame
	// Queries are what was looked for.
	Queries []car.Query
	// Result is what was found, at the size that the model sees. A query that was kept
	// may have no pixel.
	Result *car.Result
	// Instances are the things of each query, where they are told apart.
	Instances []tracking.Instance
	// Layers are what there is to see, in the order of the queries: one for each query
	// with pixels, or one for each thing of it.
	Layers []Layer
	// Decision is what was decided about each query, and why.
	Decision *tracking.Explanation
}

// A Layer is one query in one frame, or one thing of it where things are told apart.
type Layer struct {
	Query    int      // index in [Frame.Queries]
	Instance int      // number among the things of the query, from 1; 0 for the query as a whole
	Label    string   // that of the query, and the number where there is one: "dog 2"
	Score    float32  // of the query, 0..1
	Colour   [3]uint8 // red, green, blue

	// Box is the smallest that holds the pixels of the mask that are more inside than
	// outside, in pixels of the coded picture.
	Box image.Rectangle
	// Mask is how much of each pixel of the coded picture belongs to it: a byte a pixel,
	// 0..255, in rows of the picture's width. As the picture itself it is not turned
	// upright: [video.Info.Orientation] says how. Nil where no sink needs it.
	Mask []uint8

	probability []float32 // the same at the size of the result, upright, 0..1
}

// An item is a frame on its way through a run.
type item struct {
	Frame
	image      car.Image
	bank       *car.Bank // of the step
	analysis   *tracking.Analysis
	step       *tracking.Step
	decision   tracking.Explanation // memory of Frame.Decision
	refs       atomic.Int32         // sinks that have not released it
	checkpoint *tracking.Checkpoint
	waiting    atomic.Int32 // sinks that the checkpoint waits for
	run        *run
}

// release gives back what the item holds, once every sink has released it.
func (it *item) release() {
	if it.refs.Add(-1) > 0 {
		return
	}
	switch {
	case it.step != nil:
		it.step.Close() // the sight with it
	case it.analysis != nil:
		it.analysis.Close()
	}
	it.Picture.Release()
	it.run.upsampler.Recycle(it.Layers)
	if it.Result != nil {
		it.run.session.Propagator.Recycle(it.Result)
	}
	it.run.recycle(it)
}
