package video

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/asticode/go-astiav"
)

// A container describes what is written for an extension.
type container struct {
	muxer    string   // FFmpeg's name; empty for images
	encoders []string // in order of preference
	image    bool
	codec    astiav.CodecID // the only codec, for an image
	// takes, if not nil, lists the video codecs that a reader can identify. FFmpeg
	// writes all others too, as private data.
	takes map[astiav.CodecID]bool
	// otherCodecs adds to takes the codecs of the other streams.
	otherCodecs []astiav.CodecID
	// chapters says that the container can hold chapters.
	chapters bool
	// upright says that the container cannot store a rotation, so that frames are
	// turned before they are encoded.
	upright bool
	// streams says that the container can be written to a pipe: it needs nothing that
	// is filled in later.
	streams bool
	// fixedRate says that the container numbers its frames instead of timing them.
	fixedRate bool
	// bare says that there is nothing but uncompressed frames, one after the other.
	bare bool
	// pixels, if not nil, lists the pixel formats that the container can hold.
	pixels []string
	// tags lists the tags of the file that are kept; nil means all.
	tags []string
}

var (
	forH264  = []string{"libx264", "libopenh264", "mpeg4"}
	forImage = func(encoder string, codec astiav.CodecID) container {
		return container{encoders: []string{encoder}, image: true, codec: codec, upright: true}
	}
	forTransport = func(others []astiav.CodecID, more ...astiav.CodecID) container {
		takes := map[astiav.CodecID]bool{
			astiav.CodecIDMpeg1Video: true, astiav.CodecIDMpeg2Video: true, astiav.CodecIDMpeg4: true, astiav.CodecIDH264: true,
			astiav.CodecIDHevc: true, codecVVC: true, astiav.CodecIDVc1: true, astiav.CodecIDCavs: true,
		}
		for _, id := range more {
			takes[id] = true
		}
		return container{muxer: "mpegts", encoders: forH264, takes: takes, otherCodecs: others, upright: true, streams: true, tags: transportTags}
	}
)

// containers maps extensions to containers.
var containers = map[string]container{
	".mp4":  {muxer: "mp4", encoders: forH264, chapters: true},
	".m4v":  {muxer: "mp4", encoders: forH264, chapters: true},
	".mov":  {muxer: "mov", encoders: forH264, chapters: true},
	".mkv":  {muxer: "matroska", encoders: forH264, streams: true, chapters: true},
	".webm": {muxer: "webm", encoders: []string{"libvpx-vp9", "libvpx"}, streams: true, chapters: true},
	".ts":   forTransport(otherTransportCodecs, astiav.CodecIDDirac),
	".m2ts": forTransport(otherBluRayCodecs),
	".mts":  forTransport(otherTransportCodecs, astiav.CodecIDDirac),
	".avi":  {muxer: "avi", encoders: forH264, upright: true, fixedRate: true, tags: riffTagNames},
	".nut":  {muxer: "nut", encoders: []string{"ffv1"}, upright: true, streams: true, chapters: true},

	".png":  forImage("png", astiav.CodecIDPng),
	".jpg":  forImage("mjpeg", astiav.CodecIDMjpeg),
	".jpeg": forImage("mjpeg", astiav.CodecIDMjpeg),
	".bmp":  forImage("bmp", astiav.CodecIDBmp),
	".tif":  forImage("tiff", astiav.CodecIDTiff),
	".tiff": forImage("tiff", astiav.CodecIDTiff),
	".webp": forImage("libwebp", astiav.CodecIDWebp),
}

// muxerErrors lists codecs for which a muxer's own statement is wrong: it accepts them
// (true), or accepts them but the file cannot be read (false). TestFits writes and
// reads them all.
var muxerErrors = map[string]map[astiav.CodecID]bool{
	"avi": {codecHap: true, astiav.CodecIDProres: true},
	"matroska": {astiav.CodecIDAvui: false, astiav.CodecIDMsrle: false, astiav.CodecIDQtrle: false,
		astiav.CodecIDSmc: false},
	"mov": {astiav.CodecIDAv1: false, astiav.CodecIDVp8: false, astiav.CodecIDVp9: false},
	"nut": {codecHap: true, astiav.CodecIDMsrle: false, astiav.CodecIDProres: true, astiav.CodecIDXface: false},
}

// rawFormats lists the pixel formats in which a reader can identify uncompressed
// frames, for containers where not all are. TestRaw reads them.
var rawFormats = map[string][]string{
	"avi": {"yuv420p", "yuvj420p", "yuv422p", "nv12", "rgba", "gray"},
	"mov": {"yuv420p", "yuvj420p", "yuv422p", "nv12", "rgba"},
}

// commonEncoders are suggested if the chosen encoder does not fit, the best known
// first.
var commonEncoders = []string{
	"libx264", "libx265", "libsvtav1", "libaom-av1", "libvpx-vp9", "libvpx", "prores_ks", "dnxhd", "ffv1",
	"mjpeg", "mpeg2video", "mpeg4", "huffyuv", "qtrle", "png", "bmp", "tiff", "libwebp",
}

// CheckOutput checks the extension or the format of an output and the encoder for it as
// [Sink.Initialize] does, but without opening anything. Format and encoder may be empty,
// as in a Sink. info is that of the source.
func CheckOutput(path, format, encoder string, info Info) error {
	c, err := containerOf(path, format, info.Still)
	if err == nil && info.Cover && !c.image {
		err = &PathError{Path: path, Err: ErrCover}
	}
	if err != nil || encoder == "" {
		return err
	}
	codec := astiav.FindEncoderByName(encoder)
	if codec == nil || codec.ID().MediaType() != astiav.MediaTypeVideo {
		return &PathError{Path: path, Format: format, Err: ErrNoEncoder, Detail: encoder}
	}
	if onlyDevices(codec) {
		return &PathError{Path: path, Format: format, Err: ErrNoEncoder, Detail: encoder + " takes no frames from memory, only from a device"}
	}
	if !c.canHold(codec.ID()) {
		return &PathError{Path: path, Format: format, Err: ErrEncoderMismatch, Detail: encoder}
	}
	if formats, some := rawFormats[c.muxer]; some && encoder == "rawvideo" && !slices.Contains(formats, info.PixelFormat) {
		return &PathError{Path: path, Format: format, Err: ErrEncoderMismatch, Detail: encoder + " in " + info.PixelFormat}
	}
	return nil
}

// EncodersFor lists well-known encoders of this FFmpeg that fit an output with that
// format or the extension of path, the container's defaults first.
func EncodersFor(path, format string) (encoders []string) {
	c, err := containerOf(path, format, true)
	if err != nil {
		return nil
	}
	for _, name := range slices.Concat(c.encoders, commonEncoders) {
		if slices.Contains(encoders, name) {
			continue
		}
		if codec := astiav.FindEncoderByName(name); codec != nil && c.canHold(codec.ID()) {
			encoders = append(encoders, name)
		}
	}
	return encoders
}

// canHold reports whether a file of c with video of that codec can be read.
func (c container) canHold(id astiav.CodecID) bool {
	switch {
	case c.image:
		return id == c.codec
	case astiav.FindDecoder(id) == nil:
		return false // some encoders are for home computers of 1982
	case c.takes != nil:
		return c.takes[id]
	}
	if reads, known := muxerErrors[c.muxer][id]; known {
		return reads
	}
	switch c.muxer {
	case "matroska", "mov":
		// The Matroska muxer accepts everything; that of mov falls back on AVI's tags.
		return hasTag(riffTags, id) || hasTag(quickTimeTags, id)
	}
	of := astiav.FindOutputFormat(c.muxer)
	return of != nil && canStore(of, id) == takes
}

// Extensions returns the extensions that an output may have, for videos and for images.
func Extensions() (videos, images []string) {
	for e, c := range containers {
		if c.image {
			images = append(images, e)
		} else {
			videos = append(videos, e)
		}
	}
	slices.Sort(videos)
	slices.Sort(images)
	return videos, images
}

// containerOf finds the container of an output for the given input.
func containerOf(path, format string, still bool) (container, error) {
	ext := strings.ToLower(filepath.Ext(path))
	c, ok := containers[ext]
	if format != "" {
		return streamContainer(path, format, c, ok)
	}
	if !ok {
		d := ""
		if ext == "" {
			d = "it has no extension"
		}
		return c, &PathError{Path: path, Err: ErrUnknownContainer, Detail: d}
	}
	if c.image && !still {
		return c, &PathError{Path: path, Err: ErrStillContainer, Detail: fmt.Sprintf("%s holds one image", ext)}
	}
	return c, nil
}
