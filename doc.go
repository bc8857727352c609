// Package carve finds things by their names in a whole video: it is what the program
// carve does, for Go programs.
//
// A [Job] says what to do: a [Source] of frames, a [car.Segmenter] with its models, the
// queries, and [Sink]s for what comes of it. [Run] does it:
//
//	preset, err := car.PresetNamed("voc")
//	pair, err := models.OpenPair(ctx, "clip", "", models.Options{})
//	…
//	segmenter, err := pair.Segmenter(preset)
//	src := &video.Source{Path: "in.mp4"}
//	err = src.Initialize()
//	…
//	report, err := carve.Run(ctx, carve.Job{
//		Source:    src,
//		Segmenter: segmenter,
//		Queries:   []car.Query{car.Named("dog"), car.Named("red frisbee")},
//		Sinks:     []carve.Sink{&carve.Overlay{Output: video.Sink{Path: "out.mp4"}}},
//	})
//
// [Frames] gives what is found to a loop instead, without any sink.
//
// # A run
//
// The stages of a run work at the same time, joined by bounded channels:
//
//	decode → prepare → watch → look → model → refine → layers → each sink
//
// Watching needs no state of the queries: motion is computed ahead while the model is
// busy. Nor does looking, where it is certain that a frame will be looked at. Refinement
// holds frames back, as many as [Tracking.Lookahead] says. Layers are the masks at the
// size of the source. They are computed once, whatever the number of sinks.
//
// What a run holds in memory is bounded by the frames that the source has in flight:
// decoding waits while all of them are.
//
// # What comes out
//
// Masks depend on the frames, their times, the models and the options, and not on what
// sinks there are or which stage is quicker. Nor do they depend on the number of threads,
// but for the last bit of sums in ONNX Runtime, which parts them by its threads.
package carve
