package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/democlip"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/models/demo"
	"github.com/carve-video/carve/video"
)

// jobQuery is the query for the built-in clip, whose first frame shows such an object.
const jobQuery = "dog"

// job checks the main task: it reads a video of one frame, segments it with the given
// models, and writes it.
func (d *doctor) job(ctx context.Context) {
	dir, remove, err := atomicfile.TempDir("carve-doctor-*")
	if err != nil {
		d.addBlocker(item{Section: sectionJob, Name: "temporary folder", Status: statusFails, Detail: err.Error()},
			ui.WithHint(fmt.Errorf("the job cannot be tried: %w", err), "set TMPDIR to a folder that can be written"))
		return
	}
	defer remove()
	clip, one := filepath.Join(dir, "clip.mp4"), filepath.Join(dir, "one.mp4")
	began := time.Now()
	i := item{Section: sectionJob, Name: "read and write", Status: statusOK}
	if err = os.WriteFile(clip, democlip.Clip, 0o600); err == nil {
		err = firstFrame(ctx, clip, one)
	}
	if err != nil {
		i.Status, i.Detail = statusFails, err.Error()
		d.addBlocker(i, ui.WithHint(fmt.Errorf("one frame of the built-in clip cannot be read and written: %w", err), ui.Hint(err)))
	} else {
		i.Detail = fmt.Sprintf("one frame of the built-in clip, MP4 to MP4, in %.1f s", time.Since(began).Seconds())
		d.add(i)
	}

	i = item{Section: sectionJob, Name: "segment", Status: statusOK}
	if d.blocker != nil {
		i.Status, i.Detail = statusFails, "not tried: "+d.blocker.Error()
		d.add(i)
		return
	}
	d.busy("segmenting one frame; the first time, models are prepared for this machine")
	began = time.Now()
	found, err := d.segmentOne(one, filepath.Join(dir, "out.mp4"))
	switch took := time.Since(began).Seconds(); {
	case ctx.Err() != nil:
		return
	case err != nil:
		i.Status, i.Detail = statusFails, err.Error()
		d.addBlocker(i, err)
	case found:
		i.Detail = fmt.Sprintf("that frame, in %.1f s with opening the models; the %s in it was found", took, jobQuery)
		d.add(i)
	case d.options.model == demo.Name && d.options.classifier == "":
		// The model was trained on this sticker, so its result was computed wrongly.
		i.Status, i.Detail = statusFails, fmt.Sprintf("the demo model did not find the %s that it knows", jobQuery)
		d.addBlocker(i, ui.WithHint(errors.New(i.Detail), "this device or precision computes wrong results: try --device cpu and --precision fp32"))
	default:
		i.Detail = fmt.Sprintf("that frame, in %.1f s with opening the models; the %s in it, a sticker, was not found, which depends on the models", took, jobQuery)
		d.add(i)
	}
}

// firstFrame writes the first frame of a clip as a video.
func firstFrame(ctx context.Context, clip, one string) error {
	src := &video.Source{Path: clip}
	if err := src.Initialize(); err != nil {
		return inputError(err)
	}
	defer src.Close()
	sink := &video.Sink{Path: one, Source: src}
	if err := sink.Initialize(); err != nil {
		return outputError(err)
	}
	defer sink.Abort()
	frame, err := src.Read(ctx)
	if err != nil {
		return err
	}
	defer frame.Release()
	if err := sink.Encode(ctx, frame); err != nil {
		return err
	}
	return sink.Finish()
}

// segmentOne runs carve's main command on a video of one frame.
func (d *doctor) segmentOne(in, out string) (found bool, err error) {
	o := defaultOptions()
	o.input, o.output, o.queries = in, out, []string{jobQuery}
	o.offline, o.quiet, o.progress = true, true, "none"
	o.modelOptions = d.options.modelOptions
	if o.model != demo.Name {
		o.maxSide = 224 // runs everything with a tenth of the work
	}
	o.observers = []carve.Sink{carve.SinkFunc(func(_ context.Context, f *carve.Frame) error {
		found = len(f.Layers) > 0
		return nil
	})}
	_, err = segment(o, io.Discard, io.Discard)
	return found, err
}
