//go:build cgo

package car_test

import (
	"context"
	"fmt"
	"image"
	"log"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/stickers"
	"github.com/carve-video/carve/models"
	"github.com/carve-video/carve/models/demo"
)

// Segment an image with the embedded demo model, which knows 64 stickers and nothing
// else. With the model "clip" and the preset voc, any name can be a query.
func Example() {
	ctx := context.Background()
	preset, err := car.PresetNamed("stickers")
	if err != nil {
		log.Fatal(err)
	}
	pair, err := models.OpenPair(ctx, demo.Name, "", models.Options{SkipLastBlock: preset.Quirks.SkipLastBlock})
	if err != nil {
		log.Fatal(err)
	}
	defer pair.Close()
	segmenter, err := pair.Segmenter(preset)
	if err != nil {
		log.Fatal(err)
	}

	img := car.FromImage(dogAndPizza()) // any image.Image
	res, err := segmenter.Segment(ctx, img, []car.Query{car.Named("dog"), car.Named("pizza"), car.Named("rocket")})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range res.Found {
		side := "left"
		if int(f.CX) > res.W/2 {
			side = "right"
		}
		fmt.Printf("%s: on the %s, a mask of %d bytes\n", f.Label, side, len(f.Mask))
	}
	for _, v := range res.Verdicts {
		if v.Reason != "" {
			fmt.Printf("%s: not found, for its %s\n", v.Label, v.Reason)
		}
	}
	// Output:
	// dog: on the left, a mask of 57600 bytes
	// pizza: on the right, a mask of 57600 bytes
	// rocket: not found, for its presence
}

func dogAndPizza() image.Image {
	clip := &stickers.Clip{Width: 320, Height: 180, Rate: stickers.Rate{Num: 25, Den: 1}, Frames: 1, Seed: 3, Tracks: []stickers.Track{
		{Concept: "dog", Keys: []stickers.Key{{X: .25, Y: .5, Size: .6}}},
		{Concept: "pizza", Keys: []stickers.Key{{X: .75, Y: .55, Size: .5}}},
	}}
	if err := clip.Initialize(); err != nil {
		log.Fatal(err)
	}
	frame, _ := clip.Frame(0)
	return frame
}
