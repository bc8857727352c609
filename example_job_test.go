package carve_test

import (
	"context"
	"log"
	"os"
	"path/filepath"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/democlip"
	"github.com/carve-video/carve/models"
	"github.com/carve-video/carve/models/demo"
	"github.com/carve-video/carve/video"
)

// workFolder makes a temporary folder with the demo clip in it.
func workFolder() (dir, clip string) {
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

// exampleJob returns the job of [ExampleRun] without its sink. The caller calls done after
// the run.
func exampleJob() (job carve.Job, done func()) {
	dir, clip := workFolder()
	preset, err := car.PresetNamed("stickers")
	if err != nil {
		log.Fatal(err)
	}
	pair, err := models.OpenPair(context.Background(), demo.Name, "", models.Options{})
	if err != nil {
		log.Fatal(err)
	}
	segmenter, err := pair.Segmenter(preset)
	if err != nil {
		log.Fatal(err)
	}
	src := &video.Source{Path: clip}
	if err := src.Initialize(); err != nil {
		log.Fatal(err)
	}
	return carve.Job{Source: src, Segmenter: segmenter, Limit: 24, Queries: []car.Query{car.Named("dog"), car.Named("pizza")}}, func() {
		src.Close()
		pair.Close()
		os.RemoveAll(dir)
	}
}
