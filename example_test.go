package carve_test

import (
	"context"
	"fmt"
	"image"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/models"
	"github.com/carve-video/carve/models/demo"
	"github.com/carve-video/carve/video"
)

// This is what "carve -i clip.mp4 -q dog -q pizza -o out.mp4 -m demo" does. The demo model
// knows 64 names. With the model "clip" and the preset "voc", any name can be a query.
func ExampleRun() {
	dir, clip := workFolder()
	defer os.RemoveAll(dir)
	ctx := context.Background()

	preset, err := car.PresetNamed("stickers")
	if err != nil {
		log.Fatal(err)
	}
	pair, err := models.OpenPair(ctx, demo.Name, "", models.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer pair.Close()
	segmenter, err := pair.Segmenter(preset)
	if err != nil {
		log.Fatal(err)
	}
	src := &video.Source{Path: clip}
	if err := src.Initialize(); err != nil {
		log.Fatal(err)
	}
	defer src.Close()
	report, err := carve.Run(ctx, carve.Job{
		Source: src, Segmenter: segmenter, Limit: 24, // frames
		Queries: []car.Query{car.Named("dog"), car.Named("pizza")},
		Sinks:   []carve.Sink{&carve.Overlay{Output: video.Sink{Path: filepath.Join(dir, "out.mp4")}}},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, q := range report.Queries {
		fmt.Printf("%s: in %d of %d frames\n", q.Label, q.Frames, report.Frames)
	}
	// Output:
	// dog: in 24 of 24 frames
	// pizza: in 0 of 24 frames
}

// Boxes is a sink that prints where objects are.
type Boxes struct{ frame image.Rectangle }

// Open notes the size of the frames.
func (b *Boxes) Open(_ context.Context, s *carve.Stream) error {
	b.frame = image.Rect(0, 0, s.Info.Width, s.Info.Height)
	return nil
}

// Write prints the boxes of every eighth frame.
func (b *Boxes) Write(_ context.Context, f *carve.Frame) error {
	for _, l := range f.Layers {
		if f.Index%8 == 0 {
			fmt.Printf("%v: %s, in the frame: %t\n", f.Time.Round(time.Millisecond), l.Label, l.Box.In(b.frame))
		}
	}
	return nil
}

// Close does nothing.
func (b *Boxes) Close() error { return nil }

// A type of your own can be a sink.
func ExampleSink() {
	job, done := exampleJob()
	defer done()
	job.Sinks = []carve.Sink{&Boxes{}}
	if _, err := carve.Run(context.Background(), job); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 0s: dog, in the frame: true
	// 333ms: dog, in the frame: true
	// 667ms: dog, in the frame: true
}

// A loop over the frames needs no sink.
func ExampleFrames() {
	job, done := exampleJob()
	defer done()
	pixels := 0
	for frame, err := range carve.Frames(context.Background(), job) {
		if err != nil {
			log.Fatal(err)
		}
		for _, l := range frame.Layers {
			for _, v := range l.Mask {
				if v >= 128 {
					pixels++
				}
			}
		}
	}
	fmt.Println(pixels > 24*1000)
	// Output: true
}
