// Package tracking extends CaR from images to videos. It decides in each frame which
// queries are present, and propagates their masks along the motion, so that the model runs
// in a few key frames only. The package is pure Go.
//
// The parts work on one frame after the other:
//
//   - A [MotionAnalyzer] computes the motion since the frame before, and finds cuts, blank
//     frames and abrupt changes.
//   - A [Prefetcher] encodes frames ahead that are certain to be key frames. It is optional.
//   - A [Tracker] keeps the active set, which are the queries that are present. In key
//     frames it proposes masks for these queries and for some absent ones, and judges them.
//   - A [Propagator] refines the masks of key frames, and propagates them to the frames
//     between. It holds frames back, so that an object that is found late is shown from
//     where it appeared.
//   - An [InstanceTracker] numbers the instances of each query. It is optional.
//
// A [Session] runs them in one goroutine. Package carve runs them as stages of a pipeline.
//
// [Params] tunes the parts. A [Checkpoint] holds all that a session knows after a key frame,
// so that another session can go on from there.
package tracking
