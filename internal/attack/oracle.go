//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A reading is what FFmpeg's own program reads from the first video stream of a file,
// in one thread. carve is compared with it.
type reading struct {
	frames  int
	all     []string // all error-level messages
	decoder []string // those of the video decoder after the first key frame
	demuxer []string // those of the demuxer after the first key frame
	early   []string // those of the video decoder before it
	stated  float64  // duration stated by the stream in seconds, 0 if none
	covered float64  // seconds from the first frame to the end of the last
	step    float64  // mean seconds from frame to frame
}

// short tells whether the frames end before the stated duration: by more than two
// frames and more than one in a hundred.
func (r *reading) short() bool {
	return r.stated-r.covered > math.Max(2*r.step, r.stated/100)
}

// damage returns what carve must notice in a file that had this many frames when it was
// sound; empty for nothing. Messages of the demuxer do not count when all frames are
// there: then an index or another stream is broken. Messages before the first key frame
// come from a start within an open group of pictures, if other frames follow. A stated
// duration far from the true one is wrong and not used.
func (r *reading) damage(frames int, seconds float64) string {
	switch {
	case r.frames == 0:
		return ""
	case len(r.decoder) > 0:
		return "the decoder said: " + r.decoder[0]
	case frames == 1 && len(r.early) > 0:
		return "the decoder said of the only picture: " + r.early[0]
	case len(r.demuxer) > 0 && r.frames < frames:
		return fmt.Sprintf("%d of %d frames, and the demuxer said: %s", r.frames, frames, r.demuxer[0])
	case r.short() && r.stated < 10*seconds:
		return fmt.Sprintf("%d of %d frames: it ends after %.2f of the %.2f s that the stream states", r.frames, frames, r.covered, r.stated)
	}
	return ""
}

// otherDecoders are decoders of streams that are not video.
var otherDecoders = []string{"aac", "mov_text", "srt", "subrip", "ass", "ssa", "webvtt", "opus", "flac", "mp2", "mp2float", "mp3", "mp3float", "vorbis", "ac3", "pcm_s16le", "pcm_s16be", "wmav2", "adpcm_swf"}

// demuxers are those of the attacked formats. Any other name is taken for a video
// decoder.
var demuxers = []string{"mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm", "avi", "mpegts", "mpeg", "flv", "ogg", "asf", "nut", "mxf", "apng", "image2", "yuv4mpegpipe",
	"png_pipe", "jpeg_pipe", "webp_pipe", "tiff_pipe", "bmp_pipe", "gif_pipe", "ivf", "AVIOContext", "file", "IMGUTILS", "NULL"}

// readLimit bounds the time of ffprobe for one small file.
const readLimit = 60 * time.Second

// read decodes the first video stream of a file with ffprobe. Frames and FFmpeg's
// messages go into one pipe, line by line, so that it is known after which frame a
// message came.
func (b *bench) read(ctx context.Context, path string) (*reading, error) {
	if strings.ContainsAny(path, "%:") { // these have a meaning for ffprobe
		dir, err := os.MkdirTemp(b.dir, "plain-*")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		link := filepath.Join(dir, "x"+filepath.Ext(path))
		if err := os.Symlink(path, link); err != nil {
			return nil, err
		}
		path = link
	}
	limited, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	cmd := exec.CommandContext(limited, "stdbuf", "-oL", b.ffprobe, "-v", "repeat+error", "-threads", "1", "-select_streams", "v:0",
		"-show_frames", "-show_streams", "-show_entries", "frame=key_frame,best_effort_timestamp_time,duration_time:stream=duration:stream_tags=DURATION",
		"-of", "compact", path)
	out, err := cmd.CombinedOutput()
	if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) || limited.Err() != nil {
		return nil, fmt.Errorf("having %s read by ffprobe: %w", path, errors.Join(err, limited.Err()))
	}
	return parseReading(string(out)), nil
}

// parseReading parses lines such as "frame|key_frame=1|duration_time=0.04", with
// FFmpeg's messages between them.
func parseReading(out string) *reading {
	r := &reading{}
	var times []float64
	var last float64
	key := false
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		section, rest, _ := strings.Cut(line, "|")
		values := map[string]string{}
		for pair := range strings.SplitSeq(rest, "|") {
			name, value, _ := strings.Cut(pair, "=")
			values[name] = value
		}
		switch section {
		case "frame":
			r.frames++
			key = key || values["key_frame"] == "1"
			if t, err := strconv.ParseFloat(values["best_effort_timestamp_time"], 64); err == nil {
				times = append(times, t)
				last, _ = strconv.ParseFloat(values["duration_time"], 64)
			}
		case "stream":
			if d, err := strconv.ParseFloat(values["duration"], 64); err == nil {
				r.stated = d
			} else {
				r.stated = clockSeconds(values["tag:DURATION"])
			}
		case "", "side_data", "program", "stream_group":
		default:
			r.addMessage(line, key)
		}
	}
	if n := len(times); n > 0 {
		r.covered = slices.Max(times) - times[0] + last
		r.step = r.covered / float64(n)
	}
	return r
}

// addMessage adds a message; late tells whether it came after the first key frame.
func (r *reading) addMessage(line string, late bool) {
	r.all = append(r.all, line)
	switch name := messageSource(line); {
	case name == "" || slices.Contains(otherDecoders, name):
	case slices.Contains(demuxers, name):
		if late {
			r.demuxer = append(r.demuxer, line)
		}
	case late:
		r.decoder = append(r.decoder, line)
	default:
		r.early = append(r.early, line)
	}
}

// clockSeconds parses 00:00:01.500; anything else is 0.
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

// messageSource returns the sender of a line: h264 for "[h264 @ 0x55…] …".
func messageSource(line string) string {
	name, _, ok := strings.Cut(strings.TrimPrefix(line, "["), " @ ")
	if !ok || !strings.HasPrefix(line, "[") {
		return ""
	}
	return name
}
