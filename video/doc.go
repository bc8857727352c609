// Package video reads a video, gives its frames to a model or to code that draws into
// them, and writes a video that is like the source in everything else.
//
// A [Source] opens a file and decodes it up to its first frame. Whatever makes the work
// impossible is therefore an error before the work starts. From then on [Source.Read]
// returns one [Frame] after the other. A [Preparer] turns a frame into the image that a
// model expects: upright, square pixels, RGB. [Frame.Planes] gives the samples as they
// were decoded, to draw into. A [Sink] encodes frames and writes them to a file.
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
// # What is kept
//
// The number of frames and the time of each, also at a variable rate; size, pixel
// format and depth, sample aspect ratio, colour description and rotation; tags,
// chapters and dispositions; mastering display and light level; alpha, if the encoder
// supports it; and every packet of the other streams that the container accepts. What
// cannot be kept is logged and listed by [Sink.Lost]. Most of it is known before the
// work starts ([Losses]). Samples that were not drawn on reach the encoder unchanged.
//
// A few containers keep less. Matroska and WebM count milliseconds, so times are
// rounded to them. MPEG-TS has no times before zero: if audio starts before zero,
// everything is moved by that much. AVI numbers its frames, starting with the first.
//
// The clock of a file can jump, for example where recordings were joined or a transport
// stream was interrupted. Times then continue without a gap, by the same shift for all
// streams; a warning says where and by how much.
//
// # Damage
//
// Damage after the first frame does not end the work. It is counted, and logged once
// with its time. A broken frame is skipped, or kept if the decoder could conceal the
// damage. [Source.Damage] returns the count. A strict source stops instead.
//
// FFmpeg reports much damage only in its log, and some demuxers take a truncated file
// for a complete one. So these count as damage: every log line about the file that
// FFmpeg calls an error, an end that comes more than two frames and one percent before
// the stated one, and an outer structure that breaks off. What is missing before the
// first key frame is no damage, since a recording may start anywhere. The joint of
// recordings that were joined byte by byte is no damage either.
//
// # Memory
//
// The frames of a source live in a pool of fixed size. While all of them are in flight
// no other frame is read, so that a slow model cannot fill the memory with frames:
// Source.Next waits, and Source.Read, meant for a lone goroutine, fails. The last
// holder of a frame releases it once; a second time panics. Packets of the other
// streams go from the source straight into the sink. The sink does not wait for the
// frames of the same time: to put packets in order, the muxer keeps up to ten seconds
// of them, or 150 frames if those are longer.
//
// # Files
//
// An output is written under a hidden name in its folder, and renamed once it is
// complete and on disk. Until then its name is free, or still belongs to the older
// file.
//
// An encoder that does not fit the container is refused before any work
// ([CheckOutput]). Before a file gets its name, its first frame is decoded again,
// because FFmpeg writes some files that it cannot read, without an error.
//
// A file opens no other file and contacts no host, whatever its content says.
// [Source.AllowPlaylists] lets it open files of this machine.
package video
