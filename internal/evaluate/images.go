package evaluate

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/dataset"
	"github.com/carve-video/carve/video"
)

// SequenceRate is the frame rate of DAVIS's sequences, whose images have no times.
var SequenceRate = video.Rational{Num: 24, Den: 1}

// timeOf is the time of image i of a sequence.
func timeOf(i int) time.Duration {
	return time.Duration(i) * time.Second * time.Duration(SequenceRate.Den) / time.Duration(SequenceRate.Num)
}

// eachImage calls do for every frame of a video, or of a sequence of images.
func (r *Runner) eachImage(ctx context.Context, s *dataset.Sample, do func(*car.Image, time.Duration) error) error {
	if s.Film != "" {
		return r.eachFrame(ctx, s.Film, do)
	}
	for i, path := range s.Frames {
		if err := r.eachFrame(ctx, path, func(img *car.Image, _ time.Duration) error { return do(img, timeOf(i)) }); err != nil {
			return err
		}
	}
	return nil
}

// eachFrame calls do for every frame of a file. do may keep the image, since a session
// with memory holds frames back.
func (r *Runner) eachFrame(ctx context.Context, path string, do func(*car.Image, time.Duration) error) error {
	src, err := r.Open(path)
	if err != nil {
		return err
	}
	defer src.Close()
	for shot, err := range src.Each(ctx, r.Side) {
		if err != nil {
			return err
		}
		img, err := imageOf(shot)
		if err != nil {
			return fmt.Errorf("preparing a frame of %s: %w", path, err)
		}
		if err := do(img, shot.Time()); err != nil {
			return err
		}
	}
	return nil
}

// readImage reads frame i of a sample, at the size that it is segmented at, and its
// truth.
func (r *Runner) readImage(ctx context.Context, s *dataset.Sample, i int) (*car.Image, *dataset.Truth, error) {
	path := s.Frames[i]
	src, err := r.Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer src.Close()
	truth, err := s.Truth(i)
	if err != nil {
		return nil, nil, err
	}
	if w, h := video.ModelSize(src.Info(), 0); truth.W != w || truth.H != h {
		return nil, nil, fmt.Errorf("%s is %dx%d and its truth %dx%d", path, w, h, truth.W, truth.H)
	}
	for shot, err := range src.Each(ctx, r.Side) {
		if err != nil {
			return nil, nil, err
		}
		img, err := imageOf(shot)
		if err != nil {
			return nil, nil, fmt.Errorf("preparing a frame of %s: %w", path, err)
		}
		return img, truth, nil
	}
	return nil, nil, fmt.Errorf("reading %s: there is no picture in it", path)
}

// imageOf copies a frame as the model sees it.
func imageOf(shot *video.Shot) (*car.Image, error) {
	p, err := shot.Picture()
	if err != nil {
		return nil, err
	}
	return &car.Image{Pix: slices.Clone(p.Pix), W: p.W, H: p.H}, nil
}
