//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A format is a kind of file that ffmpeg makes, and that is then damaged.
type format struct {
	name   string // with the extension
	frames int    // number of frames
	args   string // of ffmpeg, between the inputs and the output
}

const clipFrames = 12

// formats are small videos and images of every kind that carve is likely to meet.
// Formats that this ffmpeg cannot make are left out, with a message.
var formats = []format{
	{"h264-aac-subs.mp4", clipFrames, "-map 0:v -map 1:a -map 2:s -c:v libx264 -g 4 -c:a aac -c:s mov_text"},
	{"fragmented.mp4", clipFrames, "-map 0:v -map 1:a -c:v libx264 -g 4 -c:a aac -movflags frag_keyframe+empty_moov"},
	{"hevc.mp4", clipFrames, "-map 0:v -c:v libx265 -x265-params log-level=error:keyint=4"},
	{"prores.mov", clipFrames, "-map 0:v -map 1:a -c:v prores_ks -c:a pcm_s16le"},
	{"qtrle.mov", clipFrames, "-map 0:v -c:v qtrle"},
	{"vp9.mkv", clipFrames, "-map 0:v -c:v libvpx-vp9 -g 4 -deadline realtime"},
	{"ffv1.mkv", clipFrames, "-map 0:v -c:v ffv1 -level 3 -slicecrc 1 -pix_fmt yuv420p10le"},
	{"h264-srt.mkv", clipFrames, "-map 0:v -map 1:a -map 2:s -c:v libx264 -g 4 -c:a flac -c:s srt"},
	{"h264-ass.mkv", clipFrames, "-map 0:v -map 2:s -c:v libx264 -bf 2 -g 6 -c:s ass"},
	{"vp8.webm", clipFrames, "-map 0:v -c:v libvpx -g 4 -deadline realtime"},
	{"vp9-opus.webm", clipFrames, "-map 0:v -map 1:a -c:v libvpx-vp9 -g 4 -deadline realtime -c:a opus -strict -2 -ar 48000 -ac 2"},
	{"av1.webm", clipFrames, "-map 0:v -c:v libsvtav1 -g 4"},
	{"mjpeg.avi", clipFrames, "-map 0:v -map 1:a -c:v mjpeg -c:a pcm_s16le"},
	{"mpeg4.avi", clipFrames, "-map 0:v -c:v mpeg4 -g 4"},
	{"h264.ts", clipFrames, "-map 0:v -map 1:a -c:v libx264 -g 4 -c:a mp2"},
	{"mpeg2.mpg", clipFrames, "-map 0:v -map 1:a -r 25 -c:v mpeg2video -g 4 -c:a mp2 -frames:v 12"},
	{"vp8.ogg", clipFrames, "-map 0:v -c:v libvpx -g 4 -deadline realtime"},
	{"flv1.flv", clipFrames, "-map 0:v -c:v flv -g 4"},
	{"wmv2.asf", clipFrames, "-map 0:v -map 1:a -c:v wmv2 -g 4 -c:a wmav2"},
	{"raw.y4m", clipFrames, "-map 0:v -pix_fmt yuv420p"},
	{"anim.gif", clipFrames, "-map 0:v"},
	{"anim.apng", clipFrames, "-map 0:v -c:v apng -plays 0"},
	{"still.png", 1, "-map 0:v -frames:v 1"},
	{"still.jpg", 1, "-map 0:v -frames:v 1"},
	{"still.webp", 1, "-map 0:v -frames:v 1 -c:v libwebp"},
	{"still.tiff", 1, "-map 0:v -frames:v 1"},
	{"still.bmp", 1, "-map 0:v -frames:v 1"},
	{"cover.flac", 1, "-map 1:a -map 0:v -frames:v 1 -c:a flac -c:v png -disposition:v attached_pic"},
}

// subtitles are added to the formats that can hold them.
const subtitles = "1\n00:00:00,000 --> 00:00:00,500\nfirst\n\n2\n00:00:00,500 --> 00:00:01,000\nsecond\n"

// A sound file is one that is not damaged yet.
type sound struct {
	format
	data    []byte
	seconds float64
}

// makeSound makes a file with ffmpeg, and checks it.
func (b *bench) makeSound(ctx context.Context, f format) (*sound, error) {
	srt := filepath.Join(b.dir, "subtitles.srt")
	if err := os.WriteFile(srt, []byte(subtitles), 0o644); err != nil {
		return nil, err
	}
	path := filepath.Join(b.dir, f.name)
	args := []string{"-nostdin", "-v", "error", "-y",
		"-f", "lavfi", "-i", "testsrc2=s=96x64:r=12:d=1,format=yuv420p", "-f", "lavfi", "-i", "sine=r=44100:d=1", "-i", srt}
	args = append(append(args, strings.Fields(f.args)...), "-fflags", "+bitexact", "-flags:v", "+bitexact", path)
	if out, err := exec.CommandContext(ctx, b.ffmpeg, args...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("making %s: %s (%w)", f.name, firstLine(out), err)
	}
	r, err := b.read(ctx, path)
	if err != nil {
		return nil, err
	}
	if r.frames != f.frames || len(r.all) > 0 {
		return nil, fmt.Errorf("making %s: it has %d of %d frames, and reading it ffprobe says %q", f.name, r.frames, f.frames, r.all)
	}
	data, err := os.ReadFile(path)
	return &sound{f, data, r.covered}, err
}

// mediaTrials are the mutants of every format. The first of each is the sound file,
// which must have no findings.
func mediaTrials(ctx context.Context, b *bench, share float64) ([]*trial, error) {
	const each = 40
	var all []*trial
	for _, f := range formats {
		if !b.wants("media/" + f.name) {
			continue
		}
		s, err := b.makeSound(ctx, f)
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err != nil {
			b.say("left out: %v", err)
			continue
		}
		for n := range scaled(each, share) {
			all = append(all, &trial{"media", f.name, n, func(l *lab) (*experiment, error) { return s.attack(l, n) }})
		}
	}
	return all, nil
}

// container is the extension of a format that can hold every stream of the file:
// dropped streams give exit code 3, which would hide a loss.
func (f *format) container() string {
	switch ext := filepath.Ext(f.name); {
	case f.frames == 1:
		return ".png"
	case ext == ".mp4" || ext == ".mov":
		return ext
	}
	return ".mkv"
}

// attack runs carve at its cheapest on a mutant.
func (s *sound) attack(l *lab, n int) (*experiment, error) {
	data, how := s.data, "nothing: this is the sound file"
	if n > 0 {
		data, how = mutate(l.Rand, n-1, s.data)
	}
	in := "in" + filepath.Ext(s.name)
	if err := l.write(in, data); err != nil {
		return nil, err
	}
	x := &experiment{about: how, output: "out" + s.container(), media: true, codes: []int{exitDone, exitFailed, exitLost}}
	x.args = cheapest(in, x.output)
	if n%3 == 1 {
		x.args = append(x.args, "--log-format=json")
	}
	x.judge = func(ctx context.Context, l *lab, o *outcome) []finding {
		return s.judge(ctx, l, o, in, n == 0)
	}
	return x, nil
}

// judge compares what carve and FFmpeg make of a mutant.
func (s *sound) judge(ctx context.Context, l *lab, o *outcome, in string, whole bool) []finding {
	switch {
	case whole && (o.code != exitDone || o.output == nil || o.output.frames != s.frames):
		return []finding{newFinding(other, "a sound file ended with exit code %d: %s", o.code, firstLine(o.stderr))}
	case o.code != exitDone && o.code != exitLost || o.signal != 0 || o.late || o.output == nil:
		return nil
	}
	r, err := l.bench.read(ctx, l.path(in))
	if err != nil {
		l.bench.say("%v", err)
		return nil
	}
	if o.code == exitLost {
		if len(r.all) == 0 && r.frames == s.frames && !r.short() {
			l.bench.lossUnconfirmed.Add(1)
		}
		return nil
	}
	if what := r.damage(s.frames, s.seconds); what != "" {
		return []finding{newFinding(loss, "exit code 0, and %s", what)}
	}
	if o.output.frames < r.frames {
		return []finding{newFinding(loss, "exit code 0, and %d of the %d frames that FFmpeg reads", o.output.frames, r.frames)}
	}
	if o.output.frames < s.frames {
		l.bench.silentlyMissing.Add(1)
	}
	return nil
}
