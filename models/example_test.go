package models_test

import (
	"context"
	"fmt"
	"log"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/models"
	"github.com/carve-video/carve/models/demo"
)

// Open a model by name or path. The demo model is part of the program if package
// models/demo is imported.
func ExampleOpen() {
	model, err := models.Open(context.Background(), demo.Name, models.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	info := model.Info()
	fmt.Printf("%s: %d layers, patches of %d pixels, vectors of %d elements\n", info.Name, info.Layers, info.Patch, info.Projection)
	tokens, err := model.Tokens("a photo of a dog")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(tokens, "tokens")
	// Output:
	// demo: 6 layers, patches of 8 pixels, vectors of 128 elements
	// 7 tokens
}

// Embed texts. Similar meanings have similar vectors.
func ExampleModel_Judge() {
	ctx := context.Background()
	model, err := models.Open(ctx, demo.Name, models.Options{})
	if err != nil {
		log.Fatal(err)
	}
	defer model.Close()
	judge, err := model.Judge()
	if err != nil {
		log.Fatal(err)
	}
	vectors, err := judge.EncodeTexts(ctx, []string{"dog", "puppy", "rocket"})
	if err != nil {
		log.Fatal(err)
	}
	cosine := func(a, b []float32) (sum float32) { // of unit vectors
		for i := range a {
			sum += a[i] * b[i]
		}
		return sum
	}
	fmt.Println("a puppy is more like a dog than like a rocket:", cosine(vectors[1], vectors[0]) > cosine(vectors[1], vectors[2]))
	// Output: a puppy is more like a dog than like a rocket: true
}

// A pair has the two models that a segmenter needs. Any number of segmenters can share it.
func ExampleOpenPair() {
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
	result, err := segmenter.Segment(ctx, car.NewImage(96, 96), []car.Query{car.Named("dog")})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(result.Found), "objects in a black image")
	// Output: 0 objects in a black image
}
