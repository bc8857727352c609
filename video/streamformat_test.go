package video

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/asticode/go-astiav"
)

// throughPipe transcodes in as format into a pipe, as for standard output, and returns a file
// of what came out of it.
func throughPipe(t *testing.T, in, format string, set ...func(*Source, *Sink)) *run {
	t.Helper()
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer writer.Close()
	name := fmt.Sprintf("/dev/fd/%d", writer.Fd())
	if _, err := os.Stat(name); err != nil {
		t.Skip("no names of open files here: ", err)
	}
	var got bytes.Buffer
	done := make(chan error)
	go func() {
		_, err := io.Copy(&got, reader)
		done <- err
	}()
	r := &run{in: in, out: name}
	set = append(set, func(_ *Source, s *Sink) { s.Format = format })
	err = r.do(t.Context(), func(*Frame) error { return nil }, set...)
	writer.Close()
	if err = errors.Join(err, <-done); err != nil {
		t.Fatalf("%s as %s: %v\n%s", in, format, err, r.log.all())
	}
	r.out = filepath.Join(t.TempDir(), "got."+format)
	if err := os.WriteFile(r.out, got.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return r
}

// TestStreamFormats checks that a pipe gets the frames of a file, bit for bit, and their times
// if the format has any.
func TestStreamFormats(t *testing.T) {
	for name, mode := range map[string][]string{
		"constant rate": {"-fps_mode", "cfr"},
		"variable rate": {"-vf", "select='not(mod(n,3))+gt(n,20)*lt(n,24)'", "-fps_mode", "vfr"},
	} {
		// Unlike AAC, PCM does not begin before zero, which would move all times in NUT.
		in := ffmpeg(t, "in.mov", slices.Concat([]string{"-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=1.2", "-f", "lavfi", "-i", "sine=d=1.2:r=48000"},
			mode, []string{"-c:v", "libx264", "-bf", "2", "-c:a", "pcm_s16le", "-metadata", "title=t"})...)
		frames, times := frameHashes(t, in), timestamps(t, in, "pts_time")
		for _, format := range Formats() {
			t.Run(name+" "+format, func(t *testing.T) {
				r := throughPipe(t, in, format, lossless)
				if Bare(format) {
					checkBare(t, r, format, frames, name == "variable rate")
					return
				}
				ext := map[string]string{"matroska": ".mkv", "nut": ".nut"}[format]
				file := transcode(t, in, "file"+ext, lossless)
				sameList(t, "frames", frameHashes(t, r.out), frames)
				sameList(t, "times of the file", timestamps(t, r.out, "pts_time"), timestamps(t, file.out, "pts_time"))
				sameList(t, "audio", packets(t, r.out, "a", "pts_time,data_hash"), packets(t, file.out, "a", "pts_time,data_hash"))
				if format == "nut" {
					sameList(t, "times of the source", timestamps(t, r.out, "pts_time"), times)
				}
				if len(r.lost) > 0 {
					t.Errorf("lost: %v", r.lost)
				}
			})
		}
	}
}

// checkBare checks the frames of a format that has no times, and that what it lacks is named.
func checkBare(t *testing.T, r *run, format string, frames []string, variable bool) {
	t.Helper()
	var how []string
	if format == "rawvideo" {
		how = []string{"-f", "rawvideo", "-s", "64x48", "-pix_fmt", "yuv420p"}
		if r.log.count("size=64x48 pixel_format=yuv420p rate=") != 1 {
			t.Errorf("nothing says how to read it:\n%s", r.log.all())
		}
	}
	out := output(t, "ffmpeg", slices.Concat([]string{"-v", "error"}, how, []string{"-i", r.out, "-f", "framemd5", "-"})...)
	var got []string
	for line := range strings.Lines(out) {
		if !strings.HasPrefix(line, "#") {
			f := strings.Split(strings.TrimSpace(line), ",")
			got = append(got, strings.TrimSpace(f[len(f)-1]))
		}
	}
	sameList(t, "frames", got, frames)
	lost := map[string]bool{"audio stream 1 (pcm_s16le)": true, "the tag title": true}
	if variable {
		lost["timestamps of video stream 0 (h264)"] = true
	}
	for _, l := range r.lost {
		if !lost[l.What()] {
			t.Errorf("%s is said to be lost: %s", l.What(), l.Reason)
		}
		delete(lost, l.What())
	}
	if len(lost) > 0 {
		t.Errorf("not said to be lost: %v", lost)
	}
}

// TestBareGap checks that a pause is named even if all times are multiples of the distance
// between frames.
func TestBareGap(t *testing.T) {
	reel := &Reel{Width: stripWidth, Height: stripHeight, TimeBase: Rational{1, 25}, Rate: Rational{25, 1}}
	if err := reel.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer reel.Close()
	sink := &Sink{Path: filepath.Join(t.TempDir(), "o.y4m"), Format: "yuv4mpegpipe", Reel: reel}
	if err := sink.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer sink.Abort()
	for _, pts := range []int64{0, 1, 2, 7, 8} {
		f, err := reel.Frame(t.Context(), strip(), pts, 1)
		if err != nil {
			t.Fatal(err)
		}
		err = sink.Encode(t.Context(), f)
		f.Release()
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := sink.Finish(); err != nil {
		t.Fatal(err)
	}
	if lost := sink.Lost(); len(lost) != 1 || lost[0].Part != "timestamps" {
		t.Errorf("lost: %v", lost)
	}
}

// TestYUV4MPEG checks that every pixel format of the list comes through, and others as the
// nearest one.
func TestYUV4MPEG(t *testing.T) {
	dir := t.TempDir()
	args := []string{"-nostdin", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=32x16:r=25:d=0.08"}
	for _, pixels := range yuv4mpegPixels {
		args = append(args, "-pix_fmt", pixels, "-strict", "-1", "-f", "yuv4mpegpipe", filepath.Join(dir, pixels))
	}
	output(t, "ffmpeg", args...)
	as := func(_ *Source, s *Sink) { s.Format = "yuv4mpegpipe" }
	for _, pixels := range yuv4mpegPixels {
		r := transcode(t, filepath.Join(dir, pixels), "o.y4m", as)
		want, err := os.ReadFile(r.in)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(r.out); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v, begins %.60q, want %.60q", pixels, err, got, want)
		}
	}
	for pixels, want := range map[string]string{"rgba": "yuv444p", "yuva420p": "yuv420p", "nv12": "yuv420p"} {
		in := ffmpeg(t, "in.nut", "-f", "lavfi", "-i", "testsrc2=s=32x16:r=25:d=0.08", "-c:v", "rawvideo", "-pix_fmt", pixels)
		r := transcode(t, in, "o.y4m", as)
		equal(t, pixels, ffprobe(t, r.out).Streams[0].PixFmt, want)
		if lossless := pixels == "nv12"; lossless == (r.log.count("the nearest is used") > 0) {
			t.Errorf("%s is logged as:\n%s", pixels, r.log.all())
		}
	}
}

// TestFormatErrors checks what is wrong with a format before any work.
func TestFormatErrors(t *testing.T) {
	in := clip(t, "in.mp4", "-c:v", "libx264")
	for _, c := range []struct {
		name, format, encoder string
		want                  error
	}{
		{"pipe", "nosuch", "", ErrUnknownContainer},
		{"pipe", "", "", ErrUnknownContainer},
		{"o.mp4", "nut", "", ErrFormat},
		{"o.png", "matroska", "", ErrFormat},
		{"pipe", "rawvideo", "libx264", ErrEncoderMismatch},
		{"pipe", "yuv4mpegpipe", "png", ErrEncoderMismatch},
		{"o.mkv", "matroska", "libx264", nil},
		{"take.2", "rawvideo", "", nil},
	} {
		src := &Source{Path: in}
		if err := src.Initialize(); err != nil {
			t.Fatal(err)
		}
		sink := &Sink{Path: filepath.Join(t.TempDir(), c.name), Format: c.format, Encoder: c.encoder, Source: src}
		tried, err := sink.Try(), sink.Initialize()
		if !errors.Is(err, c.want) || !errors.Is(tried, c.want) {
			t.Errorf("%s as %q by %q: %v, tried %v; want %v", c.name, c.format, c.encoder, err, tried, c.want)
		}
		sink.Abort()
		src.Close()
	}
	if got := EncodersFor("/dev/stdout", "yuv4mpegpipe"); !slices.Equal(got, []string{"rawvideo"}) {
		t.Errorf("encoders of yuv4mpegpipe: %v", got)
	}
}

// TestBareRate checks that the rate of a few frames, one of which is hidden, is not their
// average.
func TestBareRate(t *testing.T) {
	in := ffmpeg(t, "in.mp4", "-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=1.2", "-f", "lavfi", "-i", "sine=d=1.2:r=48000",
		"-vf", "setpts=PTS", "-fps_mode", "passthrough", "-c:v", "libx264", "-bf", "2", "-c:a", "aac")
	r := throughPipe(t, in, "yuv4mpegpipe")
	if r.info.AverageRate == r.info.RealRate {
		t.Fatalf("the average rate is %v, so that this tests nothing", r.info.AverageRate)
	}
	equal(t, "rate", ffprobe(t, r.out).Streams[0].AvgRate, "25/1")
	if slices.ContainsFunc(r.lost, func(l Loss) bool { return l.Part == "timestamps" }) {
		t.Errorf("lost: %v", r.lost)
	}
}

// TestAACThroughPipe checks that sound of a transport stream goes into Matroska without
// seeking: FFmpeg's muxer needs to know in advance what each packet says.
func TestAACThroughPipe(t *testing.T) {
	for _, channels := range []string{"1", "2", "6"} {
		in := ffmpeg(t, "in.ts", "-f", "lavfi", "-i", "testsrc2=s=64x48:r=25:d=0.4", "-f", "lavfi", "-i", "sine=d=0.4:r=44100",
			"-c:v", "libx264", "-c:a", "aac", "-ac", channels)
		file := transcode(t, in, "o.mkv")
		got := throughPipe(t, in, "matroska")
		sameList(t, channels+" channels", packets(t, got.out, "a", "pts_time,size,data_hash"), packets(t, file.out, "a", "pts_time,size,data_hash"))
		const says = "stream=codec_name,profile,sample_rate,channels,extradata_hash"
		args := []string{"-v", "error", "-select_streams", "a", "-show_data_hash", "md5", "-show_entries", says, "-of", "csv"}
		equal(t, "description", output(t, "ffprobe", append(args, got.out)...), output(t, "ffprobe", append(args, file.out)...))
	}
}

func TestAACDescription(t *testing.T) {
	for _, c := range []struct {
		profile        astiav.Profile
		rate, channels int
		want           string // from ISO/IEC 14496-3, table 1.15
	}{
		{astiav.ProfileAacLow, 48000, 2, "1190"},
		{astiav.ProfileAacLow, 44100, 1, "1208"},
		{astiav.ProfileAacMain, 8000, 6, "0db0"},
		{astiav.ProfileAacHe, 48000, 2, "1310"},
		{astiav.ProfileAacHeV2, 44100, 2, "1388"},
		{astiav.ProfileAacLow, 96000, 8, "1038"},
		{astiav.ProfileAacLow, 48000, 7, ""},
		{astiav.ProfileAacLow, 47999, 2, ""},
		{astiav.ProfileAacLd, 48000, 2, ""},
	} {
		equal(t, fmt.Sprint(c.profile, c.rate, c.channels), fmt.Sprintf("%x", aacDescription(c.profile, c.rate, c.channels)), c.want)
	}
}
