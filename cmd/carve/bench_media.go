package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
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

// mediaJobs returns the jobs. Where carve draws two masks with outline and legend, the
// program draws two filled boxes, which is the most similar work that it can do.
func mediaJobs() []mediaJob {
	x264 := []string{"-c:v", "libx264", "-crf", strconv.Itoa(defaultCRF), "-preset", mediaPreset}
	box := func(x string, colour string) string {
		return fmt.Sprintf("drawbox=x=%s:y=ih/4:w=iw/3:h=ih/2:color=%s@0.42:t=fill", x, colour)
	}
	boxes := []string{"-vf", box("iw/12", "red") + "," + box("iw*7/12", "blue")}
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
		{name: "decode, draw", draw: true, ffmpeg: boxes},
		{name: "decode, encode", encode: true, ffmpeg: x264},
		{name: "decode, draw, encode", draw: true, encode: true, ffmpeg: append(slices.Clone(boxes), x264...)},
		with("masks", masks(carve.SplitNone)),
		with("masks split by concept", masks(carve.SplitConcept)),
	}
}

// mediaClip returns the number of frames of the clip and their size.
func (b *bench) mediaClip() (frames, w, h int) {
	if b.o.quick {
		return 24, 640, 360
	}
	return 72, 1920, 1080
}

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
	for _, j := range mediaJobs() {
		row, err := b.measureJob(ctx, clip, j, program)
		if err != nil {
			return fmt.Errorf("%s: %w", j.name, err)
		}
		b.report.Media = append(b.report.Media, row)
	}
	return nil
}

// measureJob compares times without start-up: carve's time begins when the file is open
// and its first frame decoded; from the program's time, that of a run which ends after
// the first frame is subtracted.
func (b *bench) measureJob(ctx context.Context, clip string, j mediaJob, program string) (row benchMedia, err error) {
	row.Name = j.name
	_, row.Width, row.Height = b.mediaClip()
	var ours, theirs, starts, without, drawing []time.Duration
	least := 5
	if b.o.quick {
		least = 1 // an encoding takes nearly a second, and a round has two
	}
	err = b.repeat(ctx, least, func() error {
		frames, took, draw, err := b.carveJob(ctx, clip, j)
		if err != nil {
			return err
		}
		row.Frames = frames
		ours, drawing = append(ours, took), append(drawing, draw)
		if j.extra != nil {
			less := j
			less.extra = nil
			_, took, _, err := b.carveJob(ctx, clip, less)
			without = append(without, took)
			return err
		}
		if program == "" {
			return nil
		}
		for _, run := range []struct {
			more  []string
			times *[]time.Duration
		}{{nil, &theirs}, {[]string{"-frames:v", "1"}, &starts}} {
			args, _ := b.ffmpegJob(clip, j, run.more...)
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
	row.Time = rate.Median(ours[1:]).Seconds()
	row.FPS = float64(row.Frames) / row.Time
	if j.draw {
		row.Drawing = rate.Median(drawing[1:]).Seconds() / float64(row.Frames)
	}
	if len(without) > 0 {
		row.Extra = row.Time/rate.Median(without[1:]).Seconds() - 1
	}
	if len(theirs) > 0 {
		_, row.Command = b.ffmpegJob(clip, j)
		if t := rate.Median(theirs[1:]).Seconds() - rate.Median(starts[1:]).Seconds(); t > 0 {
			row.FFmpegTime, row.Ratio = t, t/row.Time
		}
	}
	return row, nil
}

// ffmpegJob returns the arguments of the job, and the command line as a user would type
// it.
func (b *bench) ffmpegJob(clip string, j mediaJob, more ...string) (args []string, typed string) {
	args = append(args, "-nostdin", "-v", "error", "-y", "-i", clip)
	args = append(append(args, j.ffmpeg...), more...)
	if j.encode {
		args = append(args, filepath.Join(b.dir, "ffmpeg.mp4"))
	} else {
		args = append(args, "-f", "null", "-")
	}
	typed = strings.NewReplacer(b.dir+string(filepath.Separator), "").Replace("ffmpeg " + strings.Join(args[4:], " "))
	return args, typed
}

// carveJob does the job as [carve.Run] does, without a model: with the masks of benchFound,
// and one goroutine for each stage and each output.
func (b *bench) carveJob(ctx context.Context, clip string, j mediaJob) (frames int64, took, drawing time.Duration, err error) {
	src := &video.Source{Path: clip}
	if err := src.Initialize(); err != nil {
		return 0, 0, 0, err
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
	m := &mediaRun{source: src, sinks: sinks, found: benchFound(b.img.W, b.img.H), w: b.img.W, h: b.img.H, draw: j.draw,
		threads: cmp.Or(b.o.threads, runtime.GOMAXPROCS(0))}
	return m.run(ctx)
}

// benchFound returns two soft ellipses side by side.
func benchFound(w, h int) []car.Found {
	found := make([]car.Found, 2)
	for i := range found {
		p := make([]float32, w*h)
		for k := range p {
			x := (float64(k%w) - (float64(i)+0.5)*float64(w)/2) / (float64(w) / 6)
			y := (float64(k/w) - float64(h)/2) / (float64(h) / 4)
			p[k] = float32(1 / (1 + math.Exp(20*(math.Hypot(x, y)-1))))
		}
		found[i] = car.Found{Query: i, Label: fmt.Sprint("thing ", i+1), Judgement: car.Judgement{Score: 0.9}, Probability: p, Stats: car.Stats{Area: 1}}
	}
	return found
}
