package video

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/asticode/go-astiav"
)

// A container is what an extension stands for.
type container struct {
	muxer    string   // FFmpeg's name; empty for images
	encoders []string // in order of preference
	image    bool
	codec    astiav.CodecID // the only one of an image's extension
	// takes, where it is there, says which codecs a reader knows the file to have.
	// FFmpeg writes what else it is given, as private data.
	takes map[astiav.CodecID]bool
	// beside are further codecs of takes, of streams beside the video.
	beside []astiav.CodecID
	// chapters can be written into it.
	chapters bool
	// upright containers cannot say that a picture is to be turned, so it is
	// turned before it is encoded.
	upright bool
	// streams can be written to a pipe: nothing in them is filled in later that a
	// reader needs.
	streams bool
	// fixedRate containers number their frames instead of timing them.
	fixedRate bool
	// tags are those of a file that are kept; nil stands for all.
	tags []string
}

var (
	forH264  = []string{"libx264", "libopenh264", "mpeg4"}
	forImage = func(encoder string, codec astiav.CodecID) container {
		return container{encoders: []string{encoder}, image: true, codec: codec, upright: true}
	}
	forTransport = func(beside []astiav.CodecID, more ...astiav.CodecID) container {
		takes := map[astiav.CodecID]bool{
			astiav.CodecIDMpeg1Video: true, astiav.CodecIDMpeg2Video: true, astiav.CodecIDMpeg4: true, astiav.CodecIDH264: true,
			astiav.CodecIDHevc: true, codecVVC: true, astiav.CodecIDVc1: true, astiav.CodecIDCavs: true,
		}
		for _, id := range more {
			takes[id] = true
		}
		return container{muxer: "mpegts", encoders: forH264, takes: takes, beside: beside, upright: true, streams: true, tags: transportTags}
	}
)

// containers by extension.
var containers = map[string]container{
	".mp4":  {muxer: "mp4", encoders: forH264, chapters: true},
	".m4v":  {muxer: "mp4", encoders: forH264, chapters: true},
	".mov":  {muxer: "mov", encoders: forH264, chapters: true},
	".mkv":  {muxer: "matroska", encoders: forH264, streams: true, chapters: true},
	".webm": {muxer: "webm", encoders: []string{"libvpx-vp9", "libvpx"}, streams: true, chapters: true},
	".ts":   forTransport(besideTransport, astiav.CodecIDDirac),
	".m2ts": forTransport(besideBluRay),
	".mts":  forTransport(besideTransport, astiav.CodecIDDirac),
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

// odd are codecs of which a muxer says the opposite of what it does: it takes
// them (true), or takes them and nobody can read the file (false). TestFits
// writes and reads them all.
var odd = map[string]map[astiav.CodecID]bool{
	"avi": {codecHap: true, astiav.CodecIDProres: true},
	"matroska": {astiav.CodecIDAvui: false, astiav.CodecIDMsrle: false, astiav.CodecIDQtrle: false,
		astiav.CodecIDSmc: false},
	"mov": {astiav.CodecIDAv1: false, astiav.CodecIDVp8: false, astiav.CodecIDVp9: false},
	"nut": {codecHap: true, astiav.CodecIDMsrle: false, astiav.CodecIDProres: true, astiav.CodecIDXface: false},
}

// raw lists the pixel formats in which pictures that are not compressed can be
// told what they are, where that is not all. TestRaw reads them.
var raw = map[string][]string{
	"avi": {"yuv420p", "yuvj420p", "yuv422p", "nv12", "rgba", "gray"},
	"mov": {"yuv420p", "yuvj420p", "yuv422p", "nv12", "rgba"},
}

// usual are encoders worth naming to someone who has named one that does not
// fit, the best known first.
var usual = []string{
	"libx264", "libx265", "libsvtav1", "libaom-av1", "libvpx-vp9", "libvpx", "prores_ks", "dnxhd", "ffv1",
	"mjpeg", "mpeg2video", "mpeg4", "huffyuv", "qtrle", "png", "bmp", "tiff", "libwebp",
}

// CheckOutput finds what is wrong with the name of an output and with the
// encoder for it, as [Sink.Initialize] does, but without opening anything. The
// encoder may be empty. info is the source's.
func CheckOutput(path, encoder string, info Info) error {
	c, err := containerOf(path, info.Still)
	if err == nil && info.Cover && !c.image {
		err = &PathError{Path: path, Err: ErrCover}
	}
	if err != nil || encoder == "" {
		return err
	}
	codec := astiav.FindEncoderByName(encoder)
	if codec == nil || codec.ID().MediaType() != astiav.MediaTypeVideo {
		return &PathError{Path: path, Err: ErrNoEncoder, Detail: encoder}
	}
	if onlyDevices(codec) {
		return &PathError{Path: path, Err: ErrNoEncoder, Detail: encoder + " takes no pictures from memory, only from a device"}
	}
	if !c.holds(codec.ID()) {
		return &PathError{Path: path, Err: ErrEncoderMismatch, Detail: encoder}
	}
	if formats, some := raw[c.muxer]; some && encoder == "rawvideo" && !slices.Contains(formats, info.PixelFormat) {
		return &PathError{Path: path, Err: ErrEncoderMismatch, Detail: encoder + " in " + info.PixelFormat}
	}
	return nil
}

// EncodersFor lists well-known encoders of this FFmpeg whose pictures an output
// of that name can hold, those that it takes by itself first.
func EncodersFor(path string) (encoders []string) {
	c := containers[strings.ToLower(filepath.Ext(path))]
	for _, name := range slices.Concat(c.encoders, usual) {
		if slices.Contains(encoders, name) {
			continue
		}
		if codec := astiav.FindEncoderByName(name); codec != nil && c.holds(codec.ID()) {
			encoders = append(encoders, name)
		}
	}
	return encoders
}

// holds tells whether a file of c that has pictures of that codec can be read.
func (c container) holds(id astiav.CodecID) bool {
	switch {
	case c.image:
		return id == c.codec
	case astiav.FindDecoder(id) == nil:
		return false // there are encoders for machines of 1982
	case c.takes != nil:
		return c.takes[id]
	}
	if reads, known := odd[c.muxer][id]; known {
		return reads
	}
	switch c.muxer {
	case "matroska", "mov":
		// The one says yes to everything, the other falls back upon AVI's tags.
		return hasTag(riffTags, id) || hasTag(quickTimeTags, id)
	}
	of := astiav.FindOutputFormat(c.muxer)
	return of != nil && canStore(of, id) == takes
}

// Extensions returns those an output may have, for video and for images.
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
func containerOf(path string, still bool) (container, error) {
	ext := strings.ToLower(filepath.Ext(path))
	c, ok := containers[ext]
	if !ok {
		d := ""
		if ext == "" {
			d = "it has no extension"
		}
		return c, &PathError{Path: path, Err: ErrUnknownContainer, Detail: d}
	}
	if c.image && !still {
		return c, &PathError{Path: path, Err: ErrStillContainer, Detail: fmt.Sprintf("%s holds one picture", ext)}
	}
	return c, nil
}
