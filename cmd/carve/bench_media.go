package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/democlip"
	"github.com/carve-video/carve/internal/rate"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/video"
	"github.com/carve-video/carve/video/overlay"
)

// A mediaJob is work on the clip at the size of a real video. The ffmpeg program can do some
// of it as well.
type mediaJob struct {
	name   string
	draw   bool                        // the overlay, which is thrown away if it is not encoded
	encode bool                        // to a file
	extra  func(dir string) carve.Sink // a further output
	ffmpeg []string                    // arguments between the input and the output; nil: it has no such work
}

// The clip of the media jobs. The encoder is fast so that the rest shows.
const (
	mediaPreset = "veryfast"
	mediaRate   = 24
)

// mediaJobs returns the jobs. Where carve enlarges two masks and draws them with outline and
// legend, the program enlarges the same masks and lays two colours over the frames.
func (b *bench) mediaJobs() []mediaJob {
	x264 := []string{"-c:v", "libx264", "-crf", strconv.Itoa(defaultCRF), "-preset", mediaPreset}
	_, w, h := b.mediaClip()
	var inputs, graph []string
	below := "[0]"
	for i := range b.found {
		inputs = append(inputs, "-i", b.maskPath(i))
		c := overlay.Colour(i)
		graph = append(graph,
			fmt.Sprintf("[%d]loop=-1:1,scale=%d:%d[mask]", i+1, w, h),
			fmt.Sprintf("color=0x%02x%02x%02x:s=%dx%d:r=%d[colour]", c[0], c[1], c[2], w, h, mediaRate),
			"[colour][mask]alphamerge[layer]",
			fmt.Sprintf("%s[layer]overlay=shortest=1[v%d]", below, i))
		below = fmt.Sprintf("[v%d]", i)
	}
	laid := append(inputs, "-filter_complex", strings.Join(graph, ";"), "-map", below)
	masks := func(split carve.Split) func(dir string) carve.Sink {
		return func(dir string) carve.Sink {
			return &carve.Masks{Path: filepath.Join(dir, "masks"), Split: split, Overwrite: true}
		}
	}
	all := mediaJob{draw: true, encode: true}
	with := func(name string, extra func(dir string) carve.Sink) mediaJob {
		j := all
		j.name, j.extra = "… and "+name, extra
		return j
	}
	return []mediaJob{
		{name: "decode", ffmpeg: []string{}},
		{name: "decode, draw", draw: true, ffmpeg: laid},
		{name: "decode, encode", encode: true, ffmpeg: x264},
		{name: "decode, draw, encode", draw: true, encode: true, ffmpeg: append(slices.Clone(laid), x264...)},
		with("masks", masks(carve.SplitNone)),
		with("masks split by concept", masks(carve.SplitConcept)),
	}
}

// mediaClip returns the number of frames of the clip and their size.
func (b *bench) mediaClip() (frames, w, h int) {
	if b.o.quick {
		return 24, 640, 360
	}
	return 96, 1920, 1080
}

// headSeconds is how much of the clip is done once more, to subtract its time.
const headSeconds = 0.5

// headFrames is the number of frames in it.
const headFrames = mediaRate / 2

// makeMedia writes the clip: the built-in one, drawn as large as usual videos are.
func (b *bench) makeMedia(ctx context.Context) (path string, err error) {
	script, err := democlip.Script()
	if err != nil {
		return "", err
	}
	frames, w, h := b.mediaClip()
	script.Width, script.Height = w, h
	if err := script.Initialize(); err != nil {
		return "", err
	}
	reel := &video.Reel{Width: script.Width, Height: script.Height, TimeBase: video.Rational{Num: 1, Den: mediaRate}, Rate: video.Rational{Num: mediaRate, Den: 1}}
	if err := reel.Initialize(); err != nil {
		return "", err
	}
	defer reel.Close()
	path = filepath.Join(b.dir, "hd.mp4")
	sink := &video.Sink{Path: path, Reel: reel, CRF: defaultCRF, Preset: mediaPreset, Overwrite: true}
	if err := sink.Initialize(); err != nil {
		return "", err
	}
	defer sink.Abort()
	for n := range frames {
		img, _ := script.Frame(n)
		f, err := reel.Frame(ctx, img, int64(n), 1)
		if err == nil {
			err = sink.Encode(ctx, f)
			f.Release()
		}
		if err != nil {
			return "", err
		}
	}
	return path, sink.Finish()
}

func (b *bench) measureMedia(ctx context.Context) error {
	program, err := exec.LookPath("ffmpeg")
	if err != nil {
		b.log.Info("there is no ffmpeg program on the PATH to compare with")
	}
	clip, err := b.makeMedia(ctx)
	if err != nil {
		return fmt.Errorf("making a clip: %w", err)
	}
	b.found = benchFound(b.img.W, b.img.H)
	for i := range b.found {
		if err := b.writeMask(i); err != nil {
			return fmt.Errorf("writing a mask: %w", err)
		}
	}
	for _, j := range b.mediaJobs() {
		row, err := b.measureJob(ctx, clip, j, program)
		if err != nil {
			return fmt.Errorf("%s: %w", j.name, err)
		}
		b.report.Media = append(b.report.Media, row)
	}
	return nil
}

// measureJob compares times without start-up: those of the whole clip less those of its head.
func (b *bench) measureJob(ctx context.Context, clip string, j mediaJob, program string) (row benchMedia, err error) {
	row.Name = j.name
	frames, w, h := b.mediaClip()
	row.Width, row.Height, row.Frames = w, h, int64(frames-headFrames)
	var ours, heads, theirs, starts, without, drawing []time.Duration
	least := 5
	if b.o.quick {
		least = 1 // an encoding takes nearly a second, and a round has two
	}
	err = b.repeat(ctx, least, func() error {
		for _, run := range []struct {
			limit int
			times *[]time.Duration
		}{{frames, &ours}, {headFrames, &heads}} {
			took, draw, err := b.carveJob(ctx, clip, j, run.limit)
			if err != nil {
				return err
			}
			if *run.times = append(*run.times, took); run.limit == frames {
				drawing = append(drawing, draw)
			}
		}
		if j.extra != nil {
			less := j
			less.extra = nil
			took, _, err := b.carveJob(ctx, clip, less, frames)
			without = append(without, took)
			return err
		}
		if program == "" {
			return nil
		}
		for _, run := range []struct {
			seconds float64
			times   *[]time.Duration
		}{{0, &theirs}, {headSeconds, &starts}} {
			args, _ := b.ffmpegJob(clip, j, run.seconds)
			from := time.Now()
			if out, err := exec.CommandContext(ctx, program, args...).CombinedOutput(); err != nil {
				return fmt.Errorf("running ffmpeg: %w: %s", err, ui.OneLine(string(out)))
			}
			*run.times = append(*run.times, time.Since(from))
		}
		return nil
	})
	if err != nil {
		return row, err
	}
	all := rate.Median(ours[1:]).Seconds()
	row.Time = all - rate.Median(heads[1:]).Seconds()
	measured := row.Time > 0
	if !measured { // so short a clip, or so busy a machine
		row.Time, row.Frames = all, int64(frames)
	}
	row.FPS = float64(row.Frames) / row.Time
	if j.draw {
		row.Drawing = rate.Median(drawing[1:]).Seconds() / float64(frames)
	}
	if len(without) > 0 {
		row.Extra = all/rate.Median(without[1:]).Seconds() - 1
	}
	if len(theirs) > 0 {
		_, row.Command = b.ffmpegJob(clip, j, 0)
		if t := rate.Median(theirs[1:]).Seconds() - rate.Median(starts[1:]).Seconds(); t > 0 && measured {
			row.FFmpegTime, row.Ratio = t, t/row.Time
		}
	}
	return row, nil
}

// ffmpegJob returns the arguments of the job for the first seconds of the clip, or with 0 for
// all of it, and the command line as a user would type it.
func (b *bench) ffmpegJob(clip string, j mediaJob, seconds float64) (args []string, typed string) {
	args = append(args, "-nostdin", "-v", "error", "-y")
	options := len(args)
	if seconds > 0 {
		args = append(args, "-t", strconv.FormatFloat(seconds, 'g', -1, 64))
	}
	args = append(append(args, "-i", clip), j.ffmpeg...)
	if j.encode {
		args = append(args, filepath.Join(b.dir, "ffmpeg.mp4"))
	} else {
		args = append(args, "-f", "null", "-")
	}
	typed = strings.NewReplacer(b.dir+string(filepath.Separator), "").Replace("ffmpeg " + strings.Join(args[options:], " "))
	return args, typed
}

// carveJob does the job for the first frames of the clip as [carve.Run] does, without a model:
// with the masks of benchFound, and one goroutine for each stage and each output.
func (b *bench) carveJob(ctx context.Context, clip string, j mediaJob, frames int) (took, drawing time.Duration, err error) {
	src := &video.Source{Path: clip}
	if err := src.Initialize(); err != nil {
		return 0, 0, err
	}
	defer src.Close()
	var sinks []carve.Sink
	switch {
	case j.encode && j.draw:
		sinks = append(sinks, &carve.Overlay{Output: video.Sink{Path: filepath.Join(b.dir, "carve.mp4"), CRF: defaultCRF, Preset: mediaPreset, Overwrite: true}})
	case j.encode:
		sinks = append(sinks, &plainCopy{Sink: video.Sink{Path: filepath.Join(b.dir, "carve.mp4"), Source: src, CRF: defaultCRF, Preset: mediaPreset, Overwrite: true}})
	case j.draw:
		sinks = append(sinks, &discardedOverlay{})
	default:
		sinks = append(sinks, carve.SinkFunc(func(context.Context, *carve.Frame) error { return nil }))
	}
	if j.extra != nil {
		sinks = append(sinks, j.extra(b.dir))
	}
	m := &mediaRun{source: src, sinks: sinks, found: b.found, w: b.img.W, h: b.img.H, draw: j.draw, limit: frames,
		threads: cmp.Or(b.o.threads, runtime.GOMAXPROCS(0))}
	return m.run(ctx)
}

// maskPath is the file of a mask for the ffmpeg program.
func (b *bench) maskPath(i int) string { return filepath.Join(b.dir, fmt.Sprintf("mask%d.png", i+1)) }

// writeMask writes a mask as it is before it is enlarged, in grey as light as its fill is
// opaque.
func (b *bench) writeMask(i int) error {
	img := image.NewGray(image.Rect(0, 0, b.img.W, b.img.H))
	opacity := float32(overlay.DefaultStyle().Opacity)
	for k, p := range b.found[i].Probability {
		img.Pix[k] = uint8(p*opacity*255 + 0.5)
	}
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		return err
	}
	return os.WriteFile(b.maskPath(i), buf.Bytes(), 0o666)
}

// benchFound returns two ellipses side by side. Their edges are as sharp as those that the
// dense CRF gives: a pixel or two wide.
func benchFound(w, h int) []car.Found {
	found := make([]car.Found, 2)
	for i := range found {
		p := make([]float32, w*h)
		for k := range p {
			x := (float64(k%w) - (float64(i)+0.5)*float64(w)/2) / (float64(w) / 6)
			y := (float64(k/w) - float64(h)/2) / (float64(h) / 4)
			outside := (math.Hypot(x, y) - 1) * float64(h) / 4 // pixels, about
			p[k] = float32(1 / (1 + math.Exp(3*outside)))
		}
		found[i] = car.Found{Query: i, Label: fmt.Sprint("thing ", i+1), Judgement: car.Judgement{Score: 0.9}, Probability: p, Stats: car.Stats{Area: 1}}
	}
	return found
}
