package video

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/golden"
	"github.com/carve-video/carve/video/overlay"
)

const av = "testsrc2=size=176x144:rate=25:duration=1.2"

// A conversion is a clip, how it is made, and what it is converted to.
type conversion struct {
	name string
	ext  string   // of the clip made
	make []string // arguments for ffmpeg; nil: AV with x264 and AAC
	to   string   // of the output
	how  func(*Source, *Sink)

	pixels  bool    // samples are the same after lossless encoding
	within  float64 // tolerance of times in seconds, for the container's rounding
	audio   bool    // audio packets are the same
	total   bool    // the duration in ticks is the same
	special func(t *testing.T, r *run, a, b probe)
}

func x264(args ...string) []string {
	return append([]string{"-f", "lavfi", "-i", av, "-f", "lavfi", "-i", "sine=duration=1.2:sample_rate=44100", "-c:v", "libx264", "-c:a", "aac"}, args...)
}

func conversions() []conversion {
	return []conversion{
		{name: "plain", ext: "mp4", make: x264(), to: "mp4", how: lossless, pixels: true, audio: true, total: true},
		{name: "plain with B-frames", ext: "mp4", make: x264(), to: "mp4", how: quick, audio: true, total: true},
		{name: "rational rate", ext: "mp4", make: x264("-r", "24000/1001"), to: "mov", how: lossless, pixels: true, audio: true, total: true},
		{name: "late start", ext: "mp4", make: x264("-output_ts_offset", "3.217"), to: "mp4", how: quick, audio: true, total: true},
		{name: "video starts late", ext: "mkv", make: append([]string{"-itsoffset", "0.48"}, x264()...), to: "mp4", how: quick, audio: true},
		{name: "variable rate", ext: "mp4", make: x264("-vf", "select='not(mod(n,3))+gt(n,20)*lt(n,24)',setpts='PTS+mod(N,2)*0.013/TB'", "-fps_mode", "vfr", "-enc_time_base", "1/30000", "-bf", "2"),
			to: "mp4", how: quick, audio: true, total: true},
		{name: "variable rate to Matroska", ext: "mp4", make: x264("-vf", "select='not(mod(n,3))+gt(n,20)*lt(n,24)'", "-fps_mode", "vfr"), to: "mkv", how: lossless, pixels: true, within: 0.0006},
		{name: "Matroska stays exact", ext: "mkv", make: x264("-vf", "select='not(mod(n,3))+gt(n,20)*lt(n,24)'", "-fps_mode", "vfr"), to: "mkv", how: lossless, pixels: true, audio: true},
		{name: "Matroska to MP4", ext: "mkv", make: x264(), to: "mp4", how: lossless, pixels: true, audio: true},
		{name: "nanoseconds", ext: "nut", make: x264("-enc_time_base", "1/1000000", "-vf", "settb=1/1000000"), to: "mp4", how: quick},
		{name: "transport stream", ext: "ts", make: x264(), to: "mp4", how: lossless, pixels: true},
		{name: "to transport stream", ext: "mp4", make: []string{"-f", "lavfi", "-i", av, "-c:v", "libx264"}, to: "ts", how: lossless, pixels: true, within: 1e-5},
		{name: "AVI", ext: "avi", make: []string{"-f", "lavfi", "-i", av, "-f", "lavfi", "-i", "sine=duration=1.2", "-c:v", "mpeg4", "-c:a", "pcm_s16le"}, to: "mp4", how: lossless, pixels: true},
		{name: "to AVI", ext: "mp4", make: x264("-c:a", "mp2"), to: "avi", how: lossless, pixels: true, within: 0.001},
		{name: "WebM", ext: "webm", make: []string{"-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=0.8", "-c:v", "libvpx-vp9", "-cpu-used", "8"}, to: "webm", how: lossless, pixels: true},
		{name: "raw H.264", ext: "h264", make: []string{"-f", "lavfi", "-i", av, "-c:v", "libx264", "-bf", "0"}, to: "mp4", how: lossless, pixels: true, within: 1e-9},
		{name: "10 bits, BT.2020", ext: "mkv", to: "mkv", how: lossless, pixels: true,
			make: []string{"-f", "lavfi", "-i", av, "-vf", "setparams=range=tv:color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc", "-c:v", "libx264", "-pix_fmt", "yuv420p10le"}},
		{name: "10 bits, HLG, MP4", ext: "mp4", to: "mp4", how: lossless, pixels: true, total: true,
			make: []string{"-f", "lavfi", "-i", av, "-vf", "setparams=range=tv:color_primaries=bt2020:color_trc=arib-std-b67:colorspace=bt2020nc", "-c:v", "libx265", "-x265-params", "log-level=none", "-tag:v", "hvc1", "-pix_fmt", "yuv420p10le"}},
		{name: "4:2:2", ext: "mp4", make: []string{"-f", "lavfi", "-i", av, "-c:v", "libx264", "-pix_fmt", "yuv422p"}, to: "mp4", how: lossless, pixels: true, total: true},
		{name: "4:4:4 full range", ext: "mp4", to: "mp4", how: lossless, pixels: true, total: true,
			make: []string{"-f", "lavfi", "-i", av, "-vf", "scale=out_range=pc,format=yuv444p", "-color_range", "pc", "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-c:v", "libx264"}},
		{name: "motion JPEG", ext: "mov", make: []string{"-f", "lavfi", "-i", av, "-c:v", "mjpeg", "-pix_fmt", "yuvj422p"}, to: "mp4", how: lossless, pixels: true, total: true},
		{name: "anamorphic", ext: "mp4", make: x264("-vf", "setsar=32/27"), to: "mp4", how: quick, audio: true, total: true},
		{name: "odd size", ext: "webm", make: []string{"-f", "lavfi", "-i", "testsrc=size=99x63:rate=25:duration=0.6", "-c:v", "libvpx-vp9", "-cpu-used", "8", "-pix_fmt", "yuv420p"}, to: "mp4", how: quick,
			special: func(t *testing.T, r *run, _, b probe) {
				equal(t, "size", [2]int{b.Streams[0].Width, b.Streams[0].Height}, [2]int{100, 64})
				equal(t, "warnings", r.log.count("even sizes"), 1)
			}},
		{name: "odd size kept", ext: "webm", make: []string{"-f", "lavfi", "-i", "testsrc=size=99x63:rate=25:duration=0.6", "-c:v", "libvpx-vp9", "-cpu-used", "8", "-pix_fmt", "yuv420p"}, to: "webm", how: lossless, pixels: true},
		{name: "RGB", ext: "mkv", make: []string{"-f", "lavfi", "-i", av, "-c:v", "ffv1", "-pix_fmt", "gbrp"}, to: "mp4", how: quick,
			special: func(t *testing.T, r *run, _, b probe) {
				equal(t, "format", b.Streams[0].PixFmt, "yuv420p")
				equal(t, "matrix", b.Streams[0].Space, "bt709")
				equal(t, "warnings", r.log.count("half the resolution of colours"), 1)
				if d := difference(rawRGB(t, r.out, 176, 144), rawRGB(t, r.in, 176, 144)); d > 4 {
					t.Errorf("mean difference after conversion %.1f", d)
				}
			}},
		{name: "FFV1 keeps RGB", ext: "mkv", make: []string{"-f", "lavfi", "-i", av, "-c:v", "ffv1", "-pix_fmt", "gbrp10le"}, to: "mkv", pixels: true,
			how: func(_ *Source, s *Sink) { s.Encoder = "ffv1" }},
		{name: "MPEG-4 counts in 16 bits", ext: "ts", make: x264(), to: "mp4", how: func(_ *Source, s *Sink) { s.Encoder = "mpeg4" }},
		{name: "interlaced", ext: "ts", make: []string{"-f", "lavfi", "-i", "testsrc2=size=176x144:rate=50:duration=1", "-vf", "interlace", "-flags", "+ilme+ildct", "-c:v", "mpeg2video"}, to: "mp4", how: lossless, pixels: true,
			special: func(t *testing.T, _ *run, a, b probe) {
				equal(t, "field order", b.Streams[0].FieldOrder, a.Streams[0].FieldOrder)
			}},
		{name: "interlaced, fields of odd height", ext: "ts", make: []string{"-f", "lavfi", "-i", "testsrc2=size=176x146:rate=50:duration=1", "-vf", "interlace", "-flags", "+ilme+ildct", "-c:v", "mpeg2video"}, to: "mp4", how: lossless, pixels: true},
		{name: "video long after audio", ext: "mkv", make: append([]string{"-itsoffset", "40"}, x264()...), to: "mkv", how: lossless, pixels: true, audio: true},
		{name: "audio long after video", ext: "mp4", make: []string{"-f", "lavfi", "-i", av, "-f", "lavfi", "-i", "sine=duration=40", "-c:v", "libx264", "-c:a", "aac"}, to: "mp4", how: quick, audio: true, total: true},
		{name: "audio read twice", ext: "mp4", make: x264(), to: "mp4", audio: true, total: true,
			how: func(src *Source, s *Sink) { src.passthrough.limit = 100; s.Preset = "veryfast" }},
		{name: "audio only where it takes it", ext: "mkv", make: x264(), to: "webm", how: func(_ *Source, s *Sink) { s.Encoder = "libvpx-vp9" },
			special: func(t *testing.T, r *run, _, b probe) {
				if len(r.lost) != 1 || r.lost[0].Stream.Codec != "aac" || len(b.Streams) != 1 {
					t.Errorf("lost %+v, %d streams", r.lost, len(b.Streams))
				}
			}},
		{name: "slow video, sparse subtitles", ext: "mkv", make: nil, to: "mkv", how: lossless, pixels: true, audio: true,
			special: func(t *testing.T, r *run, a, b probe) {
				sameList(t, "subtitles", packets(t, r.out, "s", "pts_time,data_hash"), packets(t, r.in, "s", "pts_time,data_hash"))
			}},
		{name: "subtitles, chapters, tags", ext: "mkv", to: "mkv", how: lossless, pixels: true, audio: true, make: nil,
			special: func(t *testing.T, r *run, a, b probe) {
				sameList(t, "subtitles", packets(t, r.out, "s", "pts_time,data_hash"), packets(t, r.in, "s", "pts_time,data_hash"))
				sameTags(t, a, b)
				if len(r.lost) != 0 {
					t.Errorf("lost %v", r.lost)
				}
			}},
		{name: "subtitles that MP4 does not take", ext: "mkv", to: "mp4", how: lossless, pixels: true, audio: true, make: nil,
			special: func(t *testing.T, r *run, a, b probe) {
				if len(r.lost) != 1 || r.lost[0].Stream.Kind != "subtitle" || r.lost[0].Stream.Language != "ger" {
					t.Errorf("lost %+v, want the German subtitles", r.lost)
				}
				equal(t, "warnings", r.log.count("left out"), 1)
				equal(t, "chapters", len(b.Chapters), len(a.Chapters))
				equal(t, "title", b.Format.Tags["title"], "A Film")
			}},
		{name: "chapters and font", ext: "mkv", make: nil, to: "mkv", how: lossless, pixels: true, audio: true,
			special: func(t *testing.T, r *run, a, b probe) {
				sameTags(t, a, b)
				if k := b.Streams[len(b.Streams)-1]; k.Kind != "attachment" || k.Tags["filename"] != "font.ttf" {
					t.Errorf("attachment: %+v", k)
				}
			}},
		{name: "chapters in MP4", ext: "mp4", make: nil, to: "mp4", how: lossless, pixels: true, audio: true, total: true,
			special: func(t *testing.T, r *run, a, b probe) {
				sameTags(t, a, b)
				if len(r.lost) != 0 || r.log.count("left out") != 0 {
					t.Errorf("lost %+v\n%s", r.lost, r.log.all())
				}
			}},
		{name: "two languages of audio", ext: "mp4", to: "mp4", how: quick, audio: true, total: true,
			make: []string{"-f", "lavfi", "-i", av, "-f", "lavfi", "-i", "sine=duration=1.2", "-f", "lavfi", "-i", "sine=880:duration=1.2", "-map", "0", "-map", "1", "-map", "2",
				"-c:v", "libx264", "-c:a", "aac", "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fre", "-disposition:a:1", "default", "-disposition:a:0", "0"},
			special: func(t *testing.T, r *run, a, b probe) { sameTags(t, a, b) }},
		{name: "cover picture", ext: "mp4", make: nil, to: "mp4", how: lossless, pixels: true, audio: true, total: true,
			special: func(t *testing.T, r *run, _, b probe) {
				var covers []string
				for _, s := range b.Streams {
					if s.Disposition["attached_pic"] == 1 {
						covers = append(covers, s.Codec)
					}
				}
				if !slices.Equal(covers, []string{"png"}) {
					t.Errorf("covers: %v", covers)
				}
			}},
		{name: "time code", ext: "mov", make: x264("-timecode", "10:00:00:00"), to: "mp4", how: quick, audio: true, total: true,
			special: func(t *testing.T, r *run, a, b probe) {
				equal(t, "time code", b.Streams[0].Tags["timecode"], "10:00:00:00")
				equal(t, "streams", len(b.Streams), len(a.Streams))
				if len(r.lost) != 0 {
					t.Errorf("lost %v", r.lost)
				}
			}},
	}
}

// clip makes the clip. Some clips need several inputs.
func (j conversion) clip(t *testing.T) string {
	t.Helper()
	if j.make != nil {
		return ffmpeg(t, "in."+j.ext, j.make...)
	}
	dir := t.TempDir()
	if strings.HasPrefix(j.name, "cover") {
		cover := ffmpeg(t, "cover.png", "-f", "lavfi", "-i", "testsrc=size=40x40:duration=0.04:rate=25", "-frames:v", "1")
		return ffmpeg(t, "in.mp4", "-f", "lavfi", "-i", av, "-f", "lavfi", "-i", "sine=duration=1.2", "-i", cover,
			"-map", "0", "-map", "1", "-map", "2", "-c:v:0", "libx264", "-c:v:1", "copy", "-disposition:v:1", "attached_pic")
	}
	clip, audio := av, "sine=duration=1.2"
	first, last := "00:00:00,100 --> 00:00:00,500", "00:00:01,000 --> 00:00:01,100"
	if strings.HasPrefix(j.name, "slow") {
		clip, audio = "testsrc2=size=64x48:rate=1:duration=60", "sine=duration=60"
		last = "00:00:59,000 --> 00:00:59,500"
	}
	srt, meta := filepath.Join(dir, "s.srt"), filepath.Join(dir, "meta.txt")
	for p, s := range map[string]string{
		srt:  "1\n" + first + "\nEins\n\n2\n" + last + "\nZwei\n",
		meta: ";FFMETADATA1\ntitle=A Film\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=600\ntitle=One\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=600\nEND=1200\ntitle=Two\n",
	} {
		if err := os.WriteFile(p, []byte(s), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if j.name == "chapters in MP4" {
		return ffmpeg(t, "in.mp4", "-f", "lavfi", "-i", clip, "-f", "lavfi", "-i", audio, "-i", meta, "-map_metadata", "2", "-map_chapters", "2",
			"-map", "0", "-map", "1", "-c:v", "libx264", "-c:a", "aac")
	}
	var more []string
	if strings.HasSuffix(j.name, "font") {
		font := filepath.Join(dir, "font.ttf")
		if err := os.WriteFile(font, []byte("not really a font"), 0o644); err != nil {
			t.Fatal(err)
		}
		more = []string{"-attach", font, "-metadata:s:t", "mimetype=application/x-truetype-font"}
	}
	return ffmpeg(t, "in.mkv", append([]string{"-f", "lavfi", "-i", clip, "-f", "lavfi", "-i", audio, "-i", srt, "-i", meta,
		"-map_metadata", "3", "-map_chapters", "3", "-map", "0", "-map", "1", "-map", "2", "-c:v", "libx264", "-c:a", "aac", "-c:s", "srt",
		"-metadata:s:s", "language=ger", "-metadata:s:a", "language=eng", "-disposition:s", "forced"}, more...)...)
}

func sameTags(t *testing.T, a, b probe) {
	t.Helper()
	equal(t, "streams", len(b.Streams), len(a.Streams))
	for i := range min(len(a.Streams), len(b.Streams)) {
		equal(t, "language", b.Streams[i].Tags["language"], a.Streams[i].Tags["language"])
		for _, d := range []string{"default", "forced"} {
			equal(t, d, b.Streams[i].Disposition[d], a.Streams[i].Disposition[d])
		}
	}
	equal(t, "title", b.Format.Tags["title"], a.Format.Tags["title"])
	equal(t, "chapters", len(b.Chapters), len(a.Chapters))
	for i := range min(len(a.Chapters), len(b.Chapters)) {
		equal(t, "chapter", b.Chapters[i].Start+b.Chapters[i].End+b.Chapters[i].Tags["title"], a.Chapters[i].Start+a.Chapters[i].End+a.Chapters[i].Tags["title"])
	}
}

func TestConversions(t *testing.T) {
	for _, j := range conversions() {
		t.Run(j.name, func(t *testing.T) {
			t.Parallel()
			j.check(t, j.clip(t))
		})
	}
}

func (j conversion) check(t *testing.T, in string) {
	t.Helper()
	r := transcode(t, in, "out."+j.to, j.how)
	a, b := ffprobe(t, in), ffprobe(t, r.out)
	va, vb := a.Streams[0], b.Streams[0]
	for i := range a.Streams {
		if a.Streams[i].Kind == "video" && a.Streams[i].Disposition["attached_pic"] == 0 {
			va = a.Streams[i]
			break
		}
	}
	equal(t, "frames", vb.Frames, va.Frames)
	equal(t, "frames counted", strconv.FormatInt(r.frames, 10), va.Frames)
	entry := "best_effort_timestamp_time"
	ta, tb := timestamps(t, in, entry), timestamps(t, r.out, entry)
	if j.within == 0 {
		sameList(t, "times", tb, ta)
	} else {
		sameWithin(t, "times", tb, ta, j.within)
	}
	if j.to != "avi" && j.to != "ts" && va.RRate != "1000000/1" && j.name != "variable rate" {
		equal(t, "rate", vb.AvgRate, va.AvgRate)
	}
	if j.total {
		equal(t, "duration", vb.Duration, va.Duration)
	}
	if j.audio {
		sameList(t, "audio", packets(t, r.out, "a", "data_hash"), packets(t, in, "a", "data_hash"))
		// Milliseconds are converted to samples, which is close but not equal.
		sameWithin(t, "audio times", packets(t, r.out, "a", "pts_time"), packets(t, in, "a", "pts_time"), 0.0001)
	}
	if j.pixels {
		equal(t, "pixel format", vb.PixFmt, va.PixFmt)
		sameList(t, "frames", frameHashes(t, r.out), frameHashes(t, in))
	}
	if j.special == nil {
		equal(t, "size", [2]int{vb.Width, vb.Height}, [2]int{va.Width, va.Height})
	}
	if j.name != "RGB" {
		sar := func(s string) string {
			if s == "" || s == "0:1" {
				return "1:1" // WebM cannot state an unknown aspect
			}
			return s
		}
		equal(t, "sample aspect", sar(vb.SAR), sar(va.SAR))
		if r.info.PixelFormat != "gbrp" && j.to != "ts" && j.to != "avi" {
			// H.264 cannot state limited range; it is the default.
			rng := func(s string) string { return strings.TrimPrefix(s, "tv") }
			equal(t, "colours", vb.Space+" "+rng(vb.Range)+" "+vb.Primaries+" "+vb.Transfer, va.Space+" "+rng(va.Range)+" "+va.Primaries+" "+va.Transfer)
		}
	}
	if j.special != nil {
		j.special(t, r, a, b)
	}
	if t.Failed() {
		t.Logf("from %+v\nto %+v\n%s", va, vb, r.log.all())
	}
}

// sameWithin compares lists of seconds. A raw stream without times counts as 25 frames
// per second.
func sameWithin(t *testing.T, what string, got, want []string, within float64) {
	t.Helper()
	equal(t, "number of "+what, len(got), len(want))
	for i := range min(len(got), len(want)) {
		x, _ := strconv.ParseFloat(got[i], 64)
		y, err := strconv.ParseFloat(want[i], 64)
		if err != nil {
			y = float64(i) / 25
		}
		if math.Abs(x-y) > within+1e-6 {
			t.Errorf("%s: at %d %v, want %v", what, i, x, y)
			return
		}
	}
}

// TestSharedClips converts real footage.
func TestSharedClips(t *testing.T) {
	dir := golden.Shared(t, "clips")
	clips, err := filepath.Glob(filepath.Join(dir, "*.mp4"))
	if err != nil || len(clips) == 0 {
		t.Fatalf("no clips in %s: %v", dir, err)
	}
	for _, path := range clips {
		t.Run(filepath.Base(path), func(t *testing.T) {
			conversion{to: "mp4", how: lossless, pixels: true, audio: true, total: true, special: func(t *testing.T, r *run, a, b probe) {
				equal(t, "time base", b.Streams[0].TimeBase, a.Streams[0].TimeBase)
				equal(t, "ticks", b.Streams[0].DurationTS, a.Streams[0].DurationTS)
				equal(t, "streams", len(b.Streams), len(a.Streams))
				if len(r.lost) != 0 {
					t.Errorf("lost %v", r.lost)
				}
			}}.check(t, path)
		})
	}
}

// TestOverlay draws with the real painter, upright and turned, and checks where the
// colour is.
func TestOverlay(t *testing.T) {
	plain := ffmpeg(t, "in.mp4", "-f", "lavfi", "-i", "color=gray:size=320x240:rate=5:duration=0.8", "-c:v", "libx264")
	for _, c := range []struct {
		name, in, to string
		args         []string
	}{
		{"8 bits", "in.mkv", "o.mkv", []string{"-i", plain, "-c", "copy"}},
		{"turned", "in.mp4", "o.mp4", []string{"-display_rotation", "90", "-i", plain, "-c", "copy"}},
		{"10 bits 4:2:2", "in.mkv", "o.mkv", []string{"-i", plain, "-c:v", "libx264", "-pix_fmt", "yuv422p10le"}},
		{"RGB", "in.mkv", "o.nut", []string{"-i", plain, "-c:v", "ffv1", "-pix_fmt", "gbrp"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := ffmpeg(t, c.in, c.args...)
			var painter *overlay.Painter
			var info Info
			r := &run{in: in, out: filepath.Join(t.TempDir(), c.to)}
			err := r.do(context.Background(), func(f *Frame) error {
				if painter == nil {
					info = r.info
					painter = info.Painter()
					style := overlay.DefaultStyle()
					style.Labels = overlay.LabelOff
					painter.Style = &style
					if err := painter.Initialize(); err != nil {
						return err
					}
				}
				// The left third of the upright frame.
				uw, uh := info.Orientation.Upright(info.Width, info.Height)
				mask, alpha := make([]uint8, uw*uh), make([]uint8, uw*uh)
				for i := range mask {
					if i%uw < uw/3 {
						mask[i] = 255
					}
				}
				ToCoded(info.Orientation, alpha, mask, uw, uh)
				return f.Draw(painter, []overlay.Layer{{Alpha: alpha, Colour: [3]uint8{255, 0, 0}, Label: "x", Score: 1}})
			}, func(_ *Source, s *Sink) {
				if s.Lossless = true; c.to == "o.nut" {
					s.Lossless = false
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			w, h := info.Orientation.Upright(320, 240)
			before, after := rawRGB(t, in, w, h), rawRGB(t, r.out, w, h)
			for _, x := range []int{w / 6, w * 2 / 3} {
				at := 3 * (h/2*w + x)
				red := int(after[at]) - int(after[at+2])
				if left := x < w/3; left != (red > 40) {
					t.Errorf("column %d of %d: %v was %v", x, w, after[at:at+3], before[at:at+3])
				}
			}
		})
	}
}

// TestDrawing paints over every other frame. A single painted sample used to predict
// another frame would show in the rest.
func TestDrawing(t *testing.T) {
	for _, format := range []string{"yuv420p", "yuv420p10le"} {
		t.Run(format, func(t *testing.T) {
			in := ffmpeg(t, "in.mp4", "-f", "lavfi", "-i", av, "-c:v", "libx264", "-bf", "3", "-pix_fmt", format)
			r := &run{in: in, out: filepath.Join(t.TempDir(), "o.mkv")}
			err := r.do(context.Background(), func(f *Frame) error {
				if f.Index%2 == 1 {
					return nil
				}
				planes, err := f.Planes()
				if err != nil {
					return err
				}
				for _, p := range planes {
					for i := range p.Data {
						p.Data[i] = 0
					}
				}
				return nil
			}, lossless)
			if err != nil {
				t.Fatal(err)
			}
			before, after := frameHashes(t, in), frameHashes(t, r.out)
			equal(t, "frames", len(after), len(before))
			for i := range min(len(before), len(after)) {
				if (before[i] == after[i]) != (i%2 == 1) {
					t.Fatalf("frame %d: same as before is %v", i, before[i] == after[i])
				}
			}
		})
	}
}
