// Package video reads a clip, shows its pictures to whoever wants to look at
// them or draw into them, and writes a clip like it.
//
// A [Source] opens a file and decodes up to its first frame, so that whatever
// makes work impossible is an error of its own before work starts. From then on
// [Source.Read] returns one [Frame] after the other. A [Preparer] makes of a
// frame what a model wants to see: the upright picture, with square pixels, in
// RGB. [Frame.Planes] gives the samples as they were decoded, to be drawn into.
// A [Sink] takes the frames, encodes them and writes them to a file.
//
//	src := &video.Source{Path: "in.mp4"}
//	if err := src.Initialize(); err != nil { … }
//	defer src.Close()
//	sink := &video.Sink{Path: "out.mp4", Source: src}
//	if err := sink.Initialize(); err != nil { … }
//	defer sink.Abort() // does nothing after Finish
//	for {
//		f, err := src.Read(ctx)
//		if err == io.EOF { break }
//		…
//		err = sink.Encode(ctx, f)
//		f.Release()
//	}
//	return sink.Finish()
//
// # What stays as it was
//
// The number of frames and the time of each, a variable rate included; size,
// pixel format and depth, sample aspect, colour description and rotation; tags,
// chapters and dispositions; mastering display and light level; alpha, where the
// encoder has it; and every packet of the streams beside the video that the
// container takes. What cannot be kept is logged, and listed by [Sink.Lost]; most of
// it is known before work starts ([Losses]). Samples that nobody drew into reach the
// encoder unchanged.
//
// A few containers keep less. Matroska and WebM count milliseconds, so times
// are rounded to them. MPEG-TS has no times before zero: where audio starts
// there, everything is moved by that much. AVI numbers its frames, from the first.
//
// Where the clock of a file jumps, as in recordings that were joined or a
// transport stream that was interrupted, times go on without a hole, for all
// streams alike; a warning says where and by how much.
//
// # Damage
//
// What is broken after the first frame does not end the work. It is counted,
// logged once with its time and skipped, or kept where the decoder could
// conceal it; [Source.Damage] tells. A strict source stops instead.
//
// FFmpeg tells of much damage in its log only, and some demuxers take a cut for
// the plain end. So damage is every line of the log that FFmpeg calls an error
// and that is about the file, an end that comes more than two frames and one
// percent before the stated one, and an outer structure that breaks off. What is
// missing before the first key frame is no damage: a recording may start
// anywhere. Neither is the joint of recordings that were joined byte by byte.
//
// # Memory
//
// The frames of a source live in a pool, whose size is known. While all of them are
// in flight no other is read, which is what keeps a slow model from filling the memory
// with pictures: Source.Next waits, and
// Source.Read, for a lone goroutine, fails. Whoever holds
// a frame last releases it, once; a second time panics. Packets beside the video go from the source straight into the sink,
// which never waits for the pictures that belong to the same time: the muxer
// keeps up to ten seconds (150 frames, where those are longer) to put them in
// order.
//
// # Files
//
// An output is written under a hidden name in the folder it is meant for, and
// renamed when it is complete and on disk. Until then nothing is at its name,
// or what was there before.
//
// An encoder that does not fit the container is refused before any work
// ([CheckOutput]), and before a file gets its name its first picture is decoded
// again: FFmpeg writes files that it cannot read, and says nothing.
//
// A file opens no other file and calls no host, whatever its content says.
// [Source.AllowPlaylists] lets it open files of this machine.
package video
