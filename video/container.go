package video

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// A container is what an extension stands for.
type container struct {
	muxer    string   // FFmpeg's name; empty for images
	encoders []string // in order of preference
	image    bool
	// upright containers cannot say that a picture is to be turned, so it is
	// turned before it is encoded.
	upright bool
	// streams can be written to a pipe: nothing in them is filled in later that a
	// reader needs.
	streams bool
	// fixedRate containers number their frames instead of timing them.
	fixedRate bool
}

var (
	forH264  = []string{"libx264", "libopenh264", "mpeg4"}
	forImage = func(encoder string) container {
		return container{encoders: []string{encoder}, image: true, upright: true}
	}
)

// containers by extension.
var containers = map[string]container{
	".mp4":  {muxer: "mp4", encoders: forH264},
	".m4v":  {muxer: "mp4", encoders: forH264},
	".mov":  {muxer: "mov", encoders: forH264},
	".mkv":  {muxer: "matroska", encoders: forH264, streams: true},
	".webm": {muxer: "webm", encoders: []string{"libvpx-vp9", "libvpx"}, streams: true},
	".ts":   {muxer: "mpegts", encoders: forH264, upright: true, streams: true},
	".m2ts": {muxer: "mpegts", encoders: forH264, upright: true, streams: true},
	".mts":  {muxer: "mpegts", encoders: forH264, upright: true, streams: true},
	".avi":  {muxer: "avi", encoders: forH264, upright: true, fixedRate: true},
	".nut":  {muxer: "nut", encoders: []string{"ffv1"}, upright: true, streams: true},

	".png":  forImage("png"),
	".jpg":  forImage("mjpeg"),
	".jpeg": forImage("mjpeg"),
	".bmp":  forImage("bmp"),
	".tif":  forImage("tiff"),
	".tiff": forImage("tiff"),
	".webp": forImage("libwebp"),
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
		videos, images := Extensions()
		known := videos
		if still {
			known = images
		}
		d := "known are " + strings.Join(known, " ")
		if ext == "" {
			d = "it has no extension; " + d
		}
		return c, &PathError{Path: path, Err: ErrUnknownContainer, Detail: d}
	}
	if c.image && !still {
		return c, &PathError{Path: path, Err: ErrStillContainer, Detail: fmt.Sprintf("%s holds one picture", ext)}
	}
	return c, nil
}
