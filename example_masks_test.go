package carve_test

import (
	"context"
	"fmt"
	"image/png"
	"log"
	"os"
	"path/filepath"

	"github.com/carve-video/carve"
)

// Grey masks of each concept, numbered from 1001, beside a video.
func ExampleMasks() {
	job, done := exampleJob()
	defer done()
	dir, err := os.MkdirTemp("", "carve-example-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	job.Sinks = []carve.Sink{&carve.Masks{
		Path: filepath.Join(dir, "{name}_masks/{concept}.%04d.png"), Split: carve.SplitConcept, Start: "1001",
	}}
	if _, err := carve.Run(context.Background(), job); err != nil {
		log.Fatal(err)
	}
	for _, concept := range []string{"dog", "pizza"} { // there is no pizza: its masks are empty
		files, err := filepath.Glob(filepath.Join(dir, "clip_masks", concept+".*.png"))
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(len(files), filepath.Base(files[0]), size(files[0]))
	}
	// Output:
	// 24 dog.1001.png 640x360
	// 24 pizza.1001.png 640x360
}

// size is the size of an image.
func size(path string) string {
	f, err := os.Open(path)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	c, err := png.DecodeConfig(f)
	if err != nil {
		log.Fatal(err)
	}
	return fmt.Sprintf("%dx%d", c.Width, c.Height)
}
