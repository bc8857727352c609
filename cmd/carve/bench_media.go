package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/pipeline"
	"github.com/carve-video/carve/internal/rate"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/video"
	"github.com/carve-video/carve/video/overlay"
)

// A mediaJob is work on the clip that both carve and the ffmpeg program can do.
type mediaJob struct {
	name   string
	draw   bool
	encode bool
	ffmpeg []string // arguments between the input and the output
}

// mediaJobs returns the jobs. Where carve draws two masks with outline and legend, the
// program draws two filled boxes, which is the most similar work that it can do.
func mediaJobs() []mediaJob {
	x264 := []string{"-c:a", "copy", "-c:v", "libx264", "-crf", strconv.Itoa(defaultCRF), "-preset", defaultEncoderPreset}
	box := func(x int, colour string) string {
		return fmt.Sprintf("drawbox=x=%d:y=ih/4:w=iw/3:h=ih/2:color=%s@0.45:t=fill", x, colour)
	}
	return []mediaJob{
		{name: "decode", ffmpeg: []string{"-map", "0:v"}},
		{name: "decode, encode", encode: true, ffmpeg: x264},
		{name: "decode, draw, encode", draw: true, encode: true, ffmpeg: append([]string{"-vf", box(40, "red") + "," + box(340, "blue")}, x264...)},
	}
}

func (b *bench) measureMedia(ctx context.Context) error {
	program, err := exec.LookPath("ffmpeg")
	if err != nil {
		b.log.Info("there is no ffmpeg program on the PATH to compare with")
	}
	for _, j := range mediaJobs() {
		row, err := b.measureJob(ctx, j, program)
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
func (b *bench) measureJob(ctx context.Context, j mediaJob, program string) (row benchMedia, err error) {
	row.Name = j.name
	var ours, theirs, starts, drawing []time.Duration
	least := 5
	if b.o.quick {
		least = 1 // an encoding takes nearly a second, and a round has two
	}
	err = b.repeat(ctx, least, func() error {
		frames, took, draw, err := b.carveJob(ctx, j)
		if err != nil {
			return err
		}
		row.Frames = frames
		ours, drawing = append(ours, took), append(drawing, draw)
		if program == "" {
			return nil
		}
		for _, run := range []struct {
			more  []string
			times *[]time.Duration
		}{{nil, &theirs}, {[]string{"-frames:v", "1"}, &starts}} {
			args, _ := b.ffmpegJob(j, run.more...)
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
	if program != "" {
		_, row.Command = b.ffmpegJob(j)
		if t := rate.Median(theirs[1:]).Seconds() - rate.Median(starts[1:]).Seconds(); t > 0 {
			row.FFmpegTime, row.Ratio = t, t/row.Time
		}
	}
	return row, nil
}

// ffmpegJob returns the arguments of the job, and the command line as a user would type
// it.
func (b *bench) ffmpegJob(j mediaJob, more ...string) (args []string, typed string) {
	args = append(args, "-nostdin", "-v", "error", "-y", "-i", b.clip)
	args = append(append(args, j.ffmpeg...), more...)
	if j.encode {
		args = append(args, filepath.Join(b.dir, "ffmpeg.mp4"))
	} else {
		args = append(args, "-f", "null", "-")
	}
	typed = strings.NewReplacer(b.dir+string(filepath.Separator), "").Replace("ffmpeg " + strings.Join(args[4:], " "))
	return args, typed
}

// carveJob does the job as the pipeline of carve segment does, with one goroutine per
// stage.
func (b *bench) carveJob(ctx context.Context, j mediaJob) (frames int64, took, drawing time.Duration, err error) {
	src := &video.Source{Path: b.clip}
	if err := src.Initialize(); err != nil {
		return 0, 0, 0, err
	}
	defer src.Close()
	sink := &video.Sink{Path: filepath.Join(b.dir, "carve.mp4"), Source: src, CRF: defaultCRF, Preset: defaultEncoderPreset, Overwrite: true}
	if j.encode {
		if err := sink.Initialize(); err != nil {
			return 0, 0, 0, err
		}
		defer sink.Abort()
	}
	painter := src.Info().Painter()
	painter.Threads = cmp.Or(b.o.threads, runtime.GOMAXPROCS(0))
	if err := painter.Initialize(); err != nil {
		return 0, 0, 0, err
	}
	upsampler := &carve.Upsampler{Info: src.Info(), Threads: b.o.threads}
	result := &car.Result{W: b.img.W, H: b.img.H, Found: benchFound(b.img.W, b.img.H)}
	colours := [][3]uint8{overlay.Colour(0), overlay.Colour(1)}
	var layers []overlay.Layer

	from := time.Now()
	l := pipeline.New(ctx)
	release := (*video.Frame).Release
	stream := pipeline.Produce(l, "decode", 2, release, func(ctx context.Context) (*video.Frame, error) {
		f, err := src.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil, pipeline.ErrDone
		}
		return f, err
	})
	if j.draw {
		stream = pipeline.Map(l, "draw", stream, 1, release, func(_ context.Context, f *video.Frame) (*video.Frame, error) {
			found := carve.Layers(result, nil, colours)
			defer upsampler.Recycle(found)
			err := upsampler.Masks(f, found, result.W, result.H)
			layers = layers[:0]
			for _, l := range found {
				layers = append(layers, overlay.Layer{Alpha: l.Mask, Colour: l.Colour, Label: l.Label, Score: l.Score})
			}
			if err == nil {
				err = f.Draw(painter, layers)
			}
			if err != nil {
				f.Release()
				return nil, err
			}
			return f, nil
		})
	}
	pipeline.Consume(l, "encode", stream, func(ctx context.Context, f *video.Frame) error {
		defer f.Release()
		frames++
		if !j.encode {
			return nil
		}
		return sink.Encode(ctx, f)
	})
	if err := l.Wait(); err != nil {
		return 0, 0, 0, err
	}
	if j.encode {
		if err := sink.Finish(); err != nil {
			return 0, 0, 0, err
		}
	}
	took = time.Since(from)
	for _, s := range l.Stages() {
		if s.Name() == "draw" {
			drawing = s.Busy()
		}
	}
	return frames, took, drawing, nil
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
