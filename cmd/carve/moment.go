package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/video"
)

// parseMoment reads a time written as 12.5, 1:02.5 or 1:02:03.
func parseMoment(s string) (time.Duration, error) {
	bad := fmt.Errorf("%q is no time; write 12.5, 1:02.5 or 1:02:03", s)
	parts := strings.Split(s, ":")
	if len(parts) > 3 {
		return 0, bad
	}
	seconds := 0.0
	for i, p := range parts {
		v, err := strconv.ParseFloat(p, 64)
		if err != nil || !(v >= 0 && v < 1e6) || i < len(parts)-1 && v != float64(int(v)) || len(parts) > 1 && i > 0 && v >= 60 {
			return 0, bad
		}
		seconds = 60*seconds + v
	}
	return time.Duration(seconds * float64(time.Second)), nil
}

// imagesOf prepares a frame as an image for each maximum of the long side.
func imagesOf(src *video.Source, frame *video.Frame, sides ...int) (images []*car.Image, err error) {
	for _, side := range sides {
		prep := &video.Preparer{Info: src.Info(), MaxSide: side}
		if err := prep.Initialize(); err != nil {
			return nil, fmt.Errorf("preparing frames of %s: %w", src.Path, err)
		}
		p, err := prep.Prepare(frame)
		if err == nil {
			images = append(images, &car.Image{Pix: slices.Clone(p.Pix), W: p.W, H: p.H})
		}
		prep.Close()
		if err != nil {
			return nil, fmt.Errorf("preparing a frame of %s: %w", src.Path, err)
		}
	}
	return images, nil
}

// frameAt returns the first frame at a time or after it, and its own time. The caller
// releases it.
func frameAt(ctx context.Context, src *video.Source, at time.Duration) (*video.Frame, time.Duration, error) {
	start, last := time.Duration(-1), time.Duration(0)
	for {
		frame, err := src.Read(ctx)
		if errors.Is(err, io.EOF) {
			return nil, 0, ui.WithHint(fmt.Errorf("%s ends at %s, before %s", src.Path, ui.Clock(last), ui.Clock(at)), "--at counts from the first frame")
		}
		if err != nil {
			return nil, 0, fmt.Errorf("reading %s: %w", src.Path, err)
		}
		if start < 0 {
			start = frame.Time()
		}
		// Times are rounded: a frame half a millisecond early counts.
		if last = frame.Time() - start; last < at-500*time.Microsecond {
			frame.Release()
			continue
		}
		return frame, last, nil
	}
}
