package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/video"
)

// anotherFFmpeg is the hint for something that this FFmpeg lacks.
const anotherFFmpeg = "use an FFmpeg that was built with it: that of a distribution, or the one that make setup installs"

// ffmpeg checks the libraries, the containers and the filters.
func (d *doctor) ffmpeg(context.Context) {
	d.add(item{Section: sectionFFmpeg, Name: "FFmpeg", Status: statusOK, Version: video.FFmpegVersion()})
	for _, l := range video.Libraries() {
		i := item{Section: sectionFFmpeg, Name: l.Name, Status: statusOK, Version: l.Version}
		if l.Fits {
			d.add(i)
			continue
		}
		i.Status, i.Detail = statusFails, "carve was built for "+l.Built
		d.addBlocker(i, ui.WithHint(fmt.Errorf("%s is %s, and carve was built for %s", l.Name, l.Version, l.Built),
			"build carve again with this FFmpeg, or have the loader find the other one first (LD_LIBRARY_PATH)"))
	}
	for _, c := range video.Containers() {
		if c.Muxer == "" {
			continue
		}
		i := item{Section: sectionFFmpeg, Name: "muxer " + c.Muxer, Status: statusOK, Detail: "writes " + strings.Join(c.Extensions, " ")}
		if err := video.ProbeMuxer(c.Muxer); err != nil {
			i.Status, i.Detail = statusMissing, "without it there is no "+strings.Join(c.Extensions, " ")
			i.Hint = anotherFFmpeg
		}
		d.add(i)
	}
	bad := video.ProbeFilters()
	if len(bad) == 0 {
		d.add(item{Section: sectionFFmpeg, Name: "filters", Status: statusOK, Detail: "all that carve may need"})
	}
	for _, name := range slices.Sorted(maps.Keys(bad)) {
		i := item{Section: sectionFFmpeg, Name: "filter " + name, Status: statusFails, Detail: bad[name].Error()}
		if errors.Is(bad[name], video.ErrNotBuilt) {
			i.Status = statusMissing
		}
		switch name {
		case "scale", "format": // every frame goes through them
			d.addBlocker(i, ui.WithHint(fmt.Errorf("FFmpeg's filter %s cannot be used: %w", name, bad[name]), anotherFFmpeg))
		case "pad", "fillborders":
			i.Detail += "; without it frames of odd sizes cannot be written as H.264"
			i.Hint = anotherFFmpeg
			d.add(i)
		default:
			i.Detail += "; without it videos with rotation cannot be turned upright"
			i.Hint = anotherFFmpeg
			d.add(i)
		}
	}
}

// namedEncoders are common encoders that carve uses only with --encoder.
var namedEncoders = []struct{ name, about string }{
	{"libx265", "H.265"},
	{"libsvtav1", "AV1"},
	{"libaom-av1", "AV1"},
	{"prores_ks", "ProRes"},
	{"h264_nvenc", "H.264 on NVIDIA GPUs"},
	{"hevc_nvenc", "H.265 on NVIDIA GPUs"},
	{"av1_nvenc", "AV1 on NVIDIA GPUs"},
	{"h264_qsv", "H.264 on Intel GPUs"},
	{"hevc_qsv", "H.265 on Intel GPUs"},
	{"h264_videotoolbox", "H.264 on Apple's hardware"},
	{"hevc_videotoolbox", "H.265 on Apple's hardware"},
}

// encoders encodes a frame with each encoder that carve uses.
func (d *doctor) encoders(ctx context.Context) {
	uses := map[string][]string{} // by encoder
	var names []string
	var chains [][]string // encoders that replace each other, in order of preference
	for _, c := range video.Containers() {
		for _, e := range c.Encoders {
			if !slices.Contains(names, e) {
				names = append(names, e)
			}
			uses[e] = append(uses[e], c.Extensions...)
		}
		chains = append(chains, c.Encoders)
	}
	works := map[string]error{}
	for _, e := range names {
		works[e] = video.ProbeEncoder(e)
	}
	for _, e := range names {
		if ctx.Err() != nil {
			return
		}
		i := item{Section: sectionEncoders, Name: e, Status: statusOK, Detail: strings.Join(uses[e], " ")}
		before, after := alternatives(e, chains)
		if len(before) > 0 {
			i.Detail += ", where " + strings.Join(before, " and ") + map[bool]string{true: " is", false: " are"}[len(before) == 1] + " missing"
		}
		if err := works[e]; err != nil {
			i.Status = statusFails
			if errors.Is(err, video.ErrNotBuilt) {
				i.Status = statusMissing
			}
			usable := func(e string) bool { return works[e] == nil }
			switch {
			case slices.ContainsFunc(before, usable):
				// A preferred encoder works.
				i.Status, i.Detail = statusInfo, "not usable, and not needed: "+err.Error()
			case slices.ContainsFunc(after, usable):
				i.Detail = err.Error() + "; " + strings.Join(uses[e], " ") + " are written by " + after[slices.IndexFunc(after, usable)] + " instead, which needs more bytes for the same quality"
				i.Hint = anotherFFmpeg
			default:
				i.Detail = err.Error() + "; without it there is no " + strings.Join(uses[e], " ")
				i.Hint = anotherFFmpeg
			}
		}
		d.add(i)
	}
	for _, e := range namedEncoders {
		err := video.ProbeEncoder(e.name)
		i := item{Section: sectionEncoders, Name: e.name, Status: statusOK, Detail: e.about + ", with --encoder " + e.name}
		switch {
		case errors.Is(err, video.ErrNotBuilt):
			i.Status, i.Detail = statusInfo, "not in this FFmpeg; only --encoder "+e.name+" ("+e.about+") needs it"
		case err != nil:
			i.Status, i.Detail = statusInfo, "cannot be used here ("+e.about+"): "+err.Error()
		}
		d.add(i)
	}
}

// alternatives returns the encoders that are preferred to e, and those that replace it.
func alternatives(e string, chains [][]string) (before, after []string) {
	for _, c := range chains {
		if i := slices.Index(c, e); i >= 0 {
			before, after = append(before, c[:i]...), append(after, c[i+1:]...)
		}
	}
	return unique(before...), unique(after...)
}

// commonCodecs are the codecs of common videos and images.
var commonCodecs = []struct{ codec, from string }{
	{"h264", "most videos"},
	{"hevc", "videos from phones"},
	{"av1", "web videos"},
	{"vp9", "web videos"},
	{"vp8", "older web videos"},
	{"prores", "videos from editors"},
	{"dnxhd", "videos from editors"},
	{"mpeg4", "older videos"},
	{"mpeg2video", "DVDs and broadcasts"},
	{"ffv1", "lossless videos"},
	{"mjpeg", "JPEG images and videos from cameras"},
	{"png", "PNG images"},
	{"webp", "WebP images"},
}

func (d *doctor) decoders(context.Context) {
	for _, c := range commonCodecs {
		name, err := video.ProbeDecoder(c.codec)
		i := item{Section: sectionDecoders, Name: c.codec, Status: statusOK, Detail: c.from}
		if name != c.codec && err == nil {
			i.Detail += ", by " + name
		}
		if err != nil {
			i.Status, i.Detail = statusFails, err.Error()+"; without it carve cannot read "+c.from
			if errors.Is(err, video.ErrNotBuilt) {
				i.Status = statusMissing
			}
			i.Hint = anotherFFmpeg
		}
		d.add(i)
	}
}

// hardware tries to open devices for hardware decoding. None is needed.
func (d *doctor) hardware(context.Context) {
	list := video.ProbeHardware()
	if len(list) == 0 {
		d.add(item{Section: sectionHardware, Name: "none", Status: statusInfo, Detail: "this FFmpeg was built without any"})
	}
	for _, p := range list {
		i := item{Section: sectionHardware, Name: p.Name, Status: statusOK, Detail: "a device opens"}
		if p.Err != nil {
			i.Status, i.Detail = statusInfo, "no device: "+p.Err.Error()
		}
		d.add(i)
	}
}
