package tracking_test

import (
	"context"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"log"
	"strings"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking"
)

// A colourModel stands for CLIP. It knows three colours by name, and is both proposer and
// judge. The elements of its vectors are red, green, blue and no colour.
type colourModel struct{}

const patch = 4 // pixels

func (colourModel) LogitScale() float32 { return 30 }
func (colourModel) PatchSize() int      { return patch }
func (colourModel) InputSize() int      { return 32 }

func (colourModel) EncodeTexts(_ context.Context, texts []string) ([][]float32, error) {
	vectors := make([][]float32, len(texts))
	for i, text := range texts {
		vectors[i] = []float32{0, 0, 0, 1}
		for c, name := range []string{"red", "green", "blue"} {
			if strings.Contains(text, name) {
				vectors[i] = make([]float32, 4)
				vectors[i][c] = 1
			}
		}
	}
	return vectors, nil
}

// EncodeImages makes colourModel a car.Judge.
func (colourModel) EncodeImages(_ context.Context, images []*car.Image) ([][]float32, error) {
	vectors := make([][]float32, len(images))
	for i, img := range images {
		vectors[i] = dominantColour(img, 0, 0, img.W, img.H)
	}
	return vectors, nil
}

// Encode makes colourModel a car.Proposer.
func (colourModel) Encode(_ context.Context, img *car.Image) (car.Features, error) {
	return colourFeatures{img}, nil
}

type colourFeatures struct{ img *car.Image }

func (c colourFeatures) Grid() (rows, cols int) { return c.img.H / patch, c.img.W / patch }
func (c colourFeatures) Feature() []float32     { return dominantColour(c.img, 0, 0, c.img.W, c.img.H) }
func (c colourFeatures) Close()                 {}

// Attention is the identity: every patch attends to itself.
func (c colourFeatures) Attention() []float32 {
	rows, cols := c.Grid()
	n := rows * cols
	a := make([]float32, n*n)
	for i := range n {
		a[i*n+i] = 1
	}
	return a
}

// CAM is the inner product of each direction with the vector of each patch.
func (c colourFeatures) CAM(_ context.Context, directions [][]float32) ([][]float32, error) {
	maps := make([][]float32, len(directions))
	rows, cols := c.Grid()
	for k, u := range directions {
		for y := range rows {
			for x := range cols {
				v := dominantColour(c.img, patch*x, patch*y, patch, patch)
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

// newSegmenter returns a segmenter with the colourModel.
func newSegmenter() *car.Segmenter {
	preset, err := car.PresetNamed("coco")
	if err != nil {
		log.Fatal(err)
	}
	preset.Contrast = [][]string{{"green"}, {"red"}} // what a query may be confused with
	segmenter, err := car.New(colourModel{}, colourModel{}, preset)
	if err != nil {
		log.Fatal(err)
	}
	return segmenter
}

// drawFrame draws a red square that moves to the right by a pixel per frame, and from frame
// 12 on a blue one.
func drawFrame(i int) *car.Image {
	canvas := image.NewRGBA(image.Rect(0, 0, 120, 80))
	square := func(x int, c color.RGBA) {
		draw.Draw(canvas, image.Rect(x, 24, x+32, 56), image.NewUniform(c), image.Point{}, draw.Src)
	}
	square(8+i, color.RGBA{R: 255, A: 255})
	if i >= 12 {
		square(80, color.RGBA{B: 255, A: 255})
	}
	return car.FromImage(canvas)
}

// A Session takes the frames of a video one by one, and returns their masks a few frames
// later.
func ExampleSession() {
	ctx := context.Background()
	session := &tracking.Session{
		Tracker: tracking.Tracker{
			Segmenter: newSegmenter(),
			Queries:   []car.Query{car.Named("red"), car.Named("blue")},
		},
		Propagator: tracking.Propagator{Lookahead: 8},
	}
	if err := session.Initialize(ctx); err != nil {
		log.Fatal(err)
	}
	const frames = 20
	keyFrames := 0
	firstFrame := make(map[string]int64) // by label
	use := func(steps []*tracking.Step) {
		for _, step := range steps {
			if step.Key {
				keyFrames++
			}
			for _, f := range step.Result.Found {
				if _, ok := firstFrame[f.Label]; !ok && f.Area > 0 {
					firstFrame[f.Label] = step.Frame
				}
			}
			step.Close()
		}
	}
	for i := range frames {
		steps, err := session.Next(ctx, drawFrame(i), time.Duration(i)*40*time.Millisecond)
		if err != nil {
			log.Fatal(err)
		}
		use(steps)
	}
	use(session.Flush())
	fmt.Println("red is visible from frame", firstFrame["red"])
	fmt.Println("blue is visible from frame", firstFrame["blue"])
	fmt.Println("the model ran in fewer frames than there are:", keyFrames < frames)
	// Output:
	// red is visible from frame 0
	// blue is visible from frame 12
	// the model ran in fewer frames than there are: true
}
