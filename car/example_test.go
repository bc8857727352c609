package car_test

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"log"
	"slices"
	"strings"

	"github.com/carve-video/carve/car"
)

// colourModel is a user's own model, in both roles: it knows three colours by name.
// The elements of its vectors are red, green, blue and no colour.
type colourModel struct{}

func (colourModel) LogitScale() float32 { return 30 }
func (colourModel) PatchSize() int      { return 4 }
func (colourModel) InputSize() int      { return 32 }

func (colourModel) EncodeTexts(_ context.Context, texts []string) ([][]float32, error) {
	vectors := make([][]float32, len(texts))
	for i, text := range texts {
		v := []float32{0, 0, 0, 1}
		for c, name := range []string{"red", "green", "blue"} {
			if strings.Contains(text, name) {
				v = make([]float32, 4)
				v[c] = 1
			}
		}
		vectors[i] = v
	}
	return vectors, nil
}

// EncodeImages makes colourModel a car.Judge: the vector of an image is that of its
// most frequent colour.
func (colourModel) EncodeImages(_ context.Context, images []*car.Image) ([][]float32, error) {
	vectors := make([][]float32, len(images))
	for i, img := range images {
		vectors[i] = dominantColour(img, 0, 0, img.W, img.H)
	}
	return vectors, nil
}

// Encode makes colourModel a car.Proposer.
func (colourModel) Encode(_ context.Context, img *car.Image) (car.Features, error) {
	kept := car.Image{Pix: slices.Clone(img.Pix), W: img.W, H: img.H} // img is valid during the call
	return &colourFeatures{&kept, img.H / 4, img.W / 4}, nil
}

// colourFeatures are the Features of one image.
type colourFeatures struct {
	img        *car.Image
	rows, cols int
}

func (c *colourFeatures) Grid() (rows, cols int) { return c.rows, c.cols }
func (c *colourFeatures) Feature() []float32     { return dominantColour(c.img, 0, 0, c.img.W, c.img.H) }
func (c *colourFeatures) Close()                 {}

// Attention is the identity: every patch attends to itself, so heat does not spread.
func (c *colourFeatures) Attention() []float32 {
	n := c.rows * c.cols
	a := make([]float32, n*n)
	for i := range n {
		a[i*n+i] = 1
	}
	return a
}

// CAM is the inner product of the direction and each patch's vector, so it is linear
// in the direction as it must be.
func (c *colourFeatures) CAM(_ context.Context, directions [][]float32) ([][]float32, error) {
	maps := make([][]float32, len(directions))
	for k, u := range directions {
		for y := range c.rows {
			for x := range c.cols {
				v := dominantColour(c.img, 4*x, 4*y, 4, 4)
				maps[k] = append(maps[k], u[0]*v[0]+u[1]*v[1]+u[2]*v[2]+u[3]*v[3])
			}
		}
	}
	return maps, nil
}

// dominantColour returns the unit vector of the most frequent colour of a rectangle.
func dominantColour(img *car.Image, x, y, w, h int) []float32 {
	count := [4]int{3: 1}
	for v := y; v < y+h; v++ {
		for u := x; u < x+w; u++ {
			p := img.Pix[3*(v*img.W+u):][:3]
			for c := range p {
				if p[c] > 200 && p[(c+1)%3] < 100 && p[(c+2)%3] < 100 {
					count[c]++
				}
			}
		}
	}
	best := 0
	for c, n := range count {
		if n > count[best] {
			best = c
		}
	}
	vector := make([]float32, 4)
	vector[best] = 1
	return vector
}

// Any pair of models that implements car.Proposer and car.Judge can be used. This one
// needs no weights.
func ExampleNew_ownModel() {
	preset, err := car.PresetNamed("coco")
	if err != nil {
		log.Fatal(err)
	}
	preset.Contrast = [][]string{{"green"}, {"red"}} // what a query may be confused with
	segmenter, err := car.New(colourModel{}, colourModel{}, preset)
	if err != nil {
		log.Fatal(err)
	}
	canvas := image.NewRGBA(image.Rect(0, 0, 120, 80))
	draw.Draw(canvas, image.Rect(20, 20, 60, 60), image.NewUniform(color.RGBA{R: 255, A: 255}), image.Point{}, draw.Src)
	res, err := segmenter.Segment(context.Background(), car.FromImage(canvas), []car.Query{car.Named("red"), car.Named("blue")})
	if err != nil {
		log.Fatal(err)
	}
	for _, f := range res.Found {
		fmt.Println(f.Label, f.Box, f.Area)
	}
	// Output:
	// red (20,20)-(60,60) 1600
}
