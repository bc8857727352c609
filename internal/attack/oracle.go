//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A reading is what FFmpeg's own program makes of the first video stream of a
// file, one frame after the other in one thread. It is what carve is held
// against.
type reading struct {
	frames  int
	all     []string // every error-level message
	decoder []string // those of the video decoder after the first key frame
	demuxer []string // those of the demuxer after the first key frame
	stated  float64  // seconds that the stream says it has, 0 if it does not say
	covered float64  // seconds from the first frame to the end of the last
	step    float64  // seconds from frame to frame, on average
}

// short tells whether the frames end before the length that the stream states:
// by more than two frames and more than one in a hundred.
func (r *reading) short() bool {
	return r.stated-r.covered > math.Max(2*r.step, r.stated/100)
}

// damage is what carve has to notice in a file, compared with the frames that
// the file had when it was sound; empty if there is nothing. That the demuxer
// complains is no damage to the video when all frames are there: what is broken
// is an index, or another stream. A length that is far from the true one is a
// lie and no measure.
func (r *reading) damage(frames int, seconds float64) string {
	switch {
	case r.frames == 0:
		return ""
	case len(r.decoder) > 0:
		return "the decoder said: " + r.decoder[0]
	case len(r.demuxer) > 0 && r.frames < frames:
		return fmt.Sprintf("%d of %d frames, and the demuxer said: %s", r.frames, frames, r.demuxer[0])
	case r.short() && r.stated < 10*seconds:
		return fmt.Sprintf("%d of %d frames: it ends after %.2f of the %.2f s that the stream states", r.frames, frames, r.covered, r.stated)
	}
	return ""
}

// elsewhere are the decoders of what is not video.
var elsewhere = []string{"aac", "mov_text", "srt", "subrip", "ass", "ssa", "webvtt", "opus", "flac", "mp2", "mp2float", "mp3", "mp3float", "vorbis", "ac3", "pcm_s16le", "pcm_s16be", "wmav2", "adpcm_swf"}

// demuxers of the formats that are attacked; what has another name is taken for
// a decoder of video.
var demuxers = []string{"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "mpegts", "mpeg", "flv", "ogg", "asf", "nut", "mxf", "apng", "image2", "yuv4mpegpipe",
	"png_pipe", "jpeg_pipe", "webp_pipe", "tiff_pipe", "bmp_pipe", "gif_pipe", "ivf", "AVIOContext", "file", "IMGUTILS", "NULL"}

// probed is the part of ffprobe's answer that is looked at.
type probed struct {
	Frames  []probedFrame `json:"frames"`
	Streams []struct {
		Duration string            `json:"duration"`
		Tags     map[string]string `json:"tags"`
	} `json:"streams"`
}

type probedFrame struct {
	Key      int    `json:"key_frame"`
	Time     string `json:"best_effort_timestamp_time"`
	Duration string `json:"duration_time"`
	Logs     []struct {
		Message string `json:"message"`
	} `json:"logs"` // what was said since the frame before
}

// readLimit bounds what ffprobe may take for one small file.
const readLimit = 60 * time.Second

func (b *bench) read(ctx context.Context, path string) (*reading, error) {
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	cmd := exec.CommandContext(limited, b.ffprobe, "-v", "repeat+error", "-threads", "1", "-select_streams", "v:0",
		"-show_log", "16", "-show_frames", "-show_streams", "-of", "json", path)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) || limited.Err() != nil {
		return nil, fmt.Errorf("having %s read by ffprobe: %w", path, errors.Join(err, limited.Err()))
	}
	var p probed
	if err := json.Unmarshal(stdout.Bytes(), &p); err != nil {
		return nil, fmt.Errorf("reading what ffprobe says of %s: %w", path, err)
	}
	return p.reading(stderr.String()), nil
}

func (p *probed) reading(stderr string) *reading {
	r := &reading{frames: len(p.Frames)}
	for line := range strings.Lines(stderr) {
		if line = strings.TrimSpace(line); line != "" {
			r.all = append(r.all, line)
		}
	}
	first := slices.IndexFunc(p.Frames, func(f probedFrame) bool { return f.Key != 0 })
	late := slices.Clone(r.all)
	if first < 0 {
		late = nil
	}
	for _, f := range p.Frames[:first+1] {
		for _, l := range f.Logs {
			if i := slices.Index(late, strings.TrimSpace(l.Message)); i >= 0 {
				late = slices.Delete(late, i, i+1)
			}
		}
	}
	for _, line := range late {
		switch name := speaker(line); {
		case name == "" || slices.Contains(elsewhere, name):
		case slices.Contains(demuxers, name):
			r.demuxer = append(r.demuxer, line)
		default:
			r.decoder = append(r.decoder, line)
		}
	}
	p.times(r)
	return r
}

func (p *probed) times(r *reading) {
	var times []float64
	var last float64
	for _, f := range p.Frames {
		if t, err := strconv.ParseFloat(f.Time, 64); err == nil {
			times = append(times, t)
			last, _ = strconv.ParseFloat(f.Duration, 64)
		}
	}
	if n := len(times); n > 0 {
		r.covered = slices.Max(times) - times[0] + last
		r.step = r.covered / float64(n)
	}
	for _, s := range p.Streams {
		if d, err := strconv.ParseFloat(s.Duration, 64); err == nil {
			r.stated = d
		} else {
			r.stated = clockSeconds(s.Tags["DURATION"])
		}
	}
}

// clockSeconds reads 00:00:01.500; what is no such time is 0.
func clockSeconds(s string) float64 {
	total := 0.0
	for part := range strings.SplitSeq(s, ":") {
		v, err := strconv.ParseFloat(part, 64)
		if err != nil {
			return 0
		}
		total = 60*total + v
	}
	return total
}

// speaker is who says a line: "[h264 @ 0x55…] …" is said by h264.
func speaker(line string) string {
	name, _, ok := strings.Cut(strings.TrimPrefix(line, "["), " @ ")
	if !ok || !strings.HasPrefix(line, "[") {
		return ""
	}
	return name
}
