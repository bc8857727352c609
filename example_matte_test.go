package carve_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/video"
)

// A ProRes 4444 file for an editor: the pixels of the video, with the dog as alpha.
func ExampleMatte() {
	job, done := exampleJob()
	defer done()
	dir, err := os.MkdirTemp("", "carve-example-*")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	job.Limit = 4
	path := filepath.Join(dir, "dog.mov")
	job.Sinks = []carve.Sink{&carve.Matte{
		Output: video.Sink{Path: path, VideoOnly: true}, Concepts: []string{"dog"}, Shaping: &carve.Shaping{Soft: true, Feather: 2},
	}}
	if _, err := carve.Run(context.Background(), job); err != nil {
		log.Fatal(err)
	}
	matte := &video.Source{Path: path}
	if err := matte.Initialize(); err != nil {
		log.Fatal(err)
	}
	defer matte.Close()
	info := matte.Info()
	fmt.Println(info.Codec, info.Width, info.Height, info.Layout().Alpha, len(info.Streams))
	// Output: prores 640 360 true 0
}
