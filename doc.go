// Package carve finds and segments objects in whole videos. Each object is named by a few
// words of text, such as "dog" or "red frisbee", and no training is needed for new names.
// It is what the program carve does, as a Go package.
//
// A [Job] says what to do. It has a [Source] of frames, a [car.Segmenter] with its models,
// the queries, and [Sink]s that take the results. [Run] does the job:
//
//	preset, err := car.PresetNamed("voc")
//	pair, err := models.OpenPair(ctx, "clip", "", models.Options{})
//	…
//	defer pair.Close()
//	segmenter, err := pair.Segmenter(preset)
//	src := &video.Source{Path: "in.mp4"}
//	err = src.Initialize()
//	…
//	defer src.Close()
//	report, err := carve.Run(ctx, carve.Job{
//		Source:    src,
//		Segmenter: segmenter,
//		Queries:   []car.Query{car.Named("dog"), car.Named("red frisbee")},
//		Sinks:     []carve.Sink{&carve.Overlay{Output: video.Sink{Path: "out.mp4"}}},
//	})
//
// [Overlay] draws the masks on the video, and [Decisions] writes what was decided as JSON.
// To do something else with the masks, implement [Sink], or loop over [Frames], which needs
// no sink. For a single image, use package car.
//
// # Stages
//
// A run is a pipeline of stages, joined by bounded channels. All stages run at once, and
// each sink has a goroutine of its own:
//
//	decode → prepare → motion → prefetch → track → propagate → layers → sinks
//
// After decoding, the stages do the following:
//
//   - prepare makes the upright RGB image that the model sees.
//   - motion computes the optical flow between frames, and finds cuts.
//   - prefetch encodes frames ahead of the tracker if they are certain to be key frames.
//   - track decides which queries are present. It runs the model in key frames only.
//   - propagate refines the masks of key frames and moves them along the motion to the
//     frames between. It holds back [Tracking.Lookahead] frames, so that an object that is
//     found late is shown from where it appeared.
//   - layers brings the masks to the size of the video, once for all sinks.
//
// The source bounds the memory of a run: it has a fixed number of frames, and decoding
// waits while all of them are in use.
//
// # Reproducibility
//
// Masks depend on the frames and their times, the models, the queries and the options.
// They do not depend on the sinks or on the speed of a stage. The number of threads changes
// them only through rounding in ONNX Runtime, which splits its sums by threads.
package carve
