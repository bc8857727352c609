package carve

import (
	"image"
	"sync"
	"sync/atomic"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking"
	"github.com/carve-video/carve/video"
)

// A Frame is one frame of the video with its results. A sink may use it only until Write
// returns, so it copies what it keeps. It must not change anything in it, because other
// sinks read it at the same time. To draw on the frame, use [video.Frame.Share].
type Frame struct {
	Index int64         // position in display order, from 0
	Time  time.Duration // presentation time

	// Decoded is the frame as it was decoded.
	Decoded *video.Frame
	// Queries are the queries of this frame. They change only through a [Control].
	Queries []car.Query
	// Result holds the masks at the size of the image that the model sees. A query that is
	// present may have no pixels.
	Result *car.Result
	// Instances are the instances of each query, if [Tracking.Instances] is set.
	Instances []tracking.Instance
	// Layers are the masks at the size of the video, in the order of the queries: one layer
	// for each query with pixels, or one for each of its instances.
	Layers []Layer
	// Decision says what was decided about each query, and why.
	Decision *tracking.Explanation
}

// A Layer is the mask of one query in one frame, or of one instance of the query.
type Layer struct {
	Query    int      // index in [Frame.Queries]
	Instance int      // number of the instance, from 1; 0 for the whole query
	Label    string   // label of the query, with the number of the instance: "dog 2"
	Score    float32  // score of the query, 0..1
	Colour   [3]uint8 // red, green, blue

	// Box is the bounding box of the mask's pixels of 128 and above, in pixels of the
	// coded frame.
	Box image.Rectangle
	// Mask is the matte: how much of each pixel belongs to the layer, 0..255. It has one
	// byte per pixel of the coded frame, in rows of [video.Info.Width]. Like the coded
	// frame, it may have to be turned upright, as [video.Info.Orientation] says. It is nil
	// if no sink needs masks.
	Mask []uint8
	// Extent is a rectangle outside of which Mask is 0. It may be larger than need be.
	Extent image.Rectangle

	probability []float32 // the mask at the size of the result, upright, 0..1
}

// An item is a frame on its way through a run.
type item struct {
	Frame
	image      car.Image
	bank       *car.Bank // the queries of the step
	analysis   *tracking.Analysis
	step       *tracking.Step
	decision   tracking.Explanation // Frame.Decision points to it
	refs       atomic.Int32         // number of sinks that have not released the item
	checkpoint *tracking.Checkpoint
	states     sync.Map     // of the sinks, for the checkpoint: name to bytes
	waiting    atomic.Int32 // number of sinks that the checkpoint waits for
	run        *run
}

// release drops one reference to the item. The last one frees what the item holds.
func (it *item) release() {
	if it.refs.Add(-1) > 0 {
		return
	}
	switch {
	case it.step != nil:
		it.step.Close() // and its analysis
	case it.analysis != nil:
		it.analysis.Close()
	}
	it.Decoded.Release()
	it.run.upsampler.Recycle(it.Layers)
	if it.Result != nil {
		it.run.session.Propagator.Recycle(it.Result)
	}
	it.run.recycle(it)
}
