package video_test

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"io"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/carve-video/carve/internal/democlip"
	"github.com/carve-video/carve/video"
)

// writeClip writes a short clip to a temporary folder: 640×360, with sound.
func writeClip() (dir, clip string) {
	dir, err := os.MkdirTemp("", "carve-example-*")
	if err != nil {
		log.Fatal(err)
	}
	clip = filepath.Join(dir, "clip.mp4")
	if err := os.WriteFile(clip, democlip.Clip, 0o644); err != nil {
		log.Fatal(err)
	}
	return dir, clip
}

// Initialize reads the file up to its first frame, so that Info describes the video.
func ExampleSource() {
	dir, clip := writeClip()
	defer os.RemoveAll(dir)
	src := &video.Source{Path: clip}
	if err := src.Initialize(); err != nil {
		log.Fatal(err)
	}
	defer src.Close()
	info := src.Info()
	fmt.Printf("%s, %dx%d, %s, %v frames a second\n", info.Codec, info.Width, info.Height, info.PixelFormat, info.Rate().Float())
	fmt.Printf("%d frames, %v, %d other stream\n", info.Frames, info.Duration, len(info.Streams))
	// Output:
	// h264, 640x360, yuv420p, 24 frames a second
	// 120 frames, 5s, 1 other stream
}

// Loop over the frames of a video, as images for a model.
func ExampleSource_Each() {
	dir, clip := writeClip()
	defer os.RemoveAll(dir)
	src := &video.Source{Path: clip}
	if err := src.Initialize(); err != nil {
		log.Fatal(err)
	}
	defer src.Close()
	for frame, err := range src.Each(context.Background(), 320) {
		if err != nil {
			log.Fatal(err)
		}
		img, err := frame.Picture() // RGB, upright, at most 320 pixels long
		if err != nil {
			log.Fatal(err)
		}
		if frame.Index%40 == 0 {
			fmt.Printf("%v: %dx%d\n", frame.Time().Round(time.Millisecond), img.W, img.H)
		}
	}
	// Output:
	// 0s: 320x180
	// 1.667s: 320x180
	// 3.333s: 320x180
}

// Copy ten frames of a video. The sink keeps their times, and copies the sound.
func ExampleSink() {
	dir, clip := writeClip()
	defer os.RemoveAll(dir)
	ctx := context.Background()
	src := &video.Source{Path: clip}
	if err := src.Initialize(); err != nil {
		log.Fatal(err)
	}
	defer src.Close()
	sink := &video.Sink{Path: filepath.Join(dir, "out.mkv"), Source: src}
	if err := sink.Initialize(); err != nil {
		log.Fatal(err)
	}
	defer sink.Abort() // does nothing after Finish
	for range 10 {
		frame, err := src.Read(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			log.Fatal(err)
		}
		err = sink.Encode(ctx, frame)
		frame.Release()
		if err != nil {
			log.Fatal(err)
		}
	}
	if err := sink.Finish(); err != nil {
		log.Fatal(err)
	}
	_, err := os.Stat(sink.Path)
	fmt.Println(sink.Frames(), "frames written, error:", err)
	// Output: 10 frames written, error: <nil>
}

// A Reel makes frames of images in memory, for a video without a source.
func ExampleReel() {
	dir, err := os.MkdirTemp("", "carve-example-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	reel := &video.Reel{Width: 64, Height: 48, TimeBase: video.Rational{Num: 1, Den: 25}, Rate: video.Rational{Num: 25, Den: 1}}
	if err := reel.Initialize(); err != nil {
		log.Fatal(err)
	}
	defer reel.Close()
	sink := &video.Sink{Path: filepath.Join(dir, "out.mp4"), Reel: reel}
	if err := sink.Initialize(); err != nil {
		log.Fatal(err)
	}
	defer sink.Abort()
	img := image.NewRGBA(image.Rect(0, 0, reel.Width, reel.Height))
	for i := range 25 {
		draw.Draw(img, img.Rect, image.NewUniform(color.RGBA{R: uint8(10 * i), A: 255}), image.Point{}, draw.Src)
		frame, err := reel.Frame(ctx, img, int64(i), 1)
		if err != nil {
			log.Fatal(err)
		}
		err = sink.Encode(ctx, frame)
		frame.Release()
		if err != nil {
			log.Fatal(err)
		}
	}
	if err := sink.Finish(); err != nil {
		log.Fatal(err)
	}
	fmt.Println(sink.Frames(), "frames written")
	// Output: 25 frames written
}
