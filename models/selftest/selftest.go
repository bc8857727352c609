// Package selftest tests whether a CLIP is loaded correctly.
//
// A checkpoint that is loaded wrongly gives no error. With swapped channels, wrong tokens
// or another mean of its pixels it still computes vectors, only worse ones, and the results
// look like those of a bad method. The test therefore shows the model easy images: the 64
// stickers that are built into the program, each upright on a plain background, and half of
// them again with half the contrast. It has to find the right name among the 64.
//
// The floors were chosen with the demo model, the only one available to the developers, by
// the effect of wrong settings on it. docs/selftest.md has the table, and says what the
// test cannot detect.
package selftest

import (
	"cmp"
	"context"
	"fmt"
	"image/color"
	"math"
	"slices"
	"strings"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/stickers"
)

// Version is incremented when the images, the texts or the floors change, so that results
// of older versions are not used.
const Version = 1

// The floors, as shares of the images. The demo model names 64 of 64 plain and 28 of 32
// pale stickers.
const (
	floorPlain = 0.875  // 56 of 64
	floorPale  = 0.6875 // 22 of 32

	// maxGap is the largest difference of accuracy and confidence. If the logit scale is
	// too low, a model is right far more often than it is confident; if it is too high,
	// it is the reverse.
	maxGap = 0.4

	// maxScale is the largest logit scale. CLIPs are trained with 100 at most (exp
	// 4.6052); the rest is for rounding to half precision.
	maxScale = 101
)

// How a sticker is drawn.
const (
	stickerShare = 0.6 // of the side of the image
	paleContrast = 0.5 // contrast of a pale sticker
)

// backgrounds are the background colours, used in turn. None is white, because many emoji
// are white or have pale edges.
var backgrounds = []color.RGBA{{128, 128, 128, 255}, {200, 205, 210, 255}, {90, 140, 200, 255}, {110, 160, 90, 255}}

// queryText is the text for a sticker. The name is in capitals to detect a tokenizer that
// does not convert to lower case, which gives other tokens.
func queryText(name string) string { return "a photo of a " + strings.ToUpper(name) + "." }

// A Score counts the images that were named right.
type Score struct {
	Images int `json:"pictures"`
	Right  int `json:"right"`
	InFive int `json:"in_five"` // images with the right name among the best five
}

// A Confusion is an image that was named wrong.
type Confusion struct {
	Shown string  `json:"shown"`
	Named string  `json:"named"`
	Pale  bool    `json:"pale"`
	By    float64 `json:"by"` // logit of the wrong name minus that of the right one
}

// Measurements are the measurements of a test.
type Measurements struct {
	Plain Score `json:"plain"`
	Pale  Score `json:"pale"`

	// Accuracy is the share of all images that were named right, Confidence the mean
	// probability of the best name, Loss the mean negative logarithm of the probability
	// of the right name.
	Accuracy   float64 `json:"accuracy"`
	Confidence float64 `json:"confidence"`
	Loss       float64 `json:"loss"`

	// Scale is the logit scale. The others are means over the images: of the logit of
	// the right name, of the mean logit of the other names, and of their standard
	// deviation.
	Scale       float64 `json:"scale"`
	RightLogit  float64 `json:"right_logit"`
	OtherLogits float64 `json:"other_logits"`
	Spread      float64 `json:"spread"`

	// Confusions are the wrong names, the worst first.
	Confusions []Confusion `json:"confusions"`
}

// Doubts lists the results below the floors; it is empty if there are none.
func (f *Measurements) Doubts() []string {
	doubts := []string{}
	for _, s := range []struct {
		Score
		kind  string
		floor float64
	}{{f.Plain, "stickers", floorPlain}, {f.Pale, "pale stickers", floorPale}} {
		if least := int(math.Ceil(s.floor * float64(s.Images))); s.Right < least {
			doubts = append(doubts, fmt.Sprintf("it names %d of %d %s right, and at least %d are expected", s.Right, s.Images, s.kind, least))
		}
	}
	if math.Abs(f.Accuracy-f.Confidence) > maxGap {
		doubts = append(doubts, fmt.Sprintf("it is right in %.2f of all cases and sure of %.2f, so that its scale of %.3g cannot be right", f.Accuracy, f.Confidence, f.Scale))
	}
	if f.Scale > maxScale {
		doubts = append(doubts, fmt.Sprintf("its scale is %.4g, and a CLIP's is 100 at most", f.Scale))
	}
	return doubts
}

// Measure runs the test with a judge.
func Measure(ctx context.Context, judge car.Judge) (*Measurements, error) {
	names := stickers.Concepts()
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = queryText(name)
	}
	textVectors, err := judge.EncodeTexts(ctx, texts)
	if err != nil {
		return nil, err
	}
	f := &Measurements{Scale: float64(judge.LogitScale()), Confusions: []Confusion{}}
	for _, pale := range []bool{false, true} {
		var indices []int // of names
		var images []*car.Image
		for i, name := range names {
			if pale && i/len(backgrounds)%2 != 0 {
				continue
			}
			img, err := draw(name, judge.InputSize(), backgrounds[i%len(backgrounds)], pale)
			if err != nil {
				return nil, err
			}
			indices, images = append(indices, i), append(images, img)
		}
		imageVectors, err := judge.EncodeImages(ctx, images)
		if err != nil {
			return nil, err
		}
		for k, v := range imageVectors {
			f.add(names, indices[k], logits(v, textVectors, f.Scale), pale)
		}
	}
	n := float64(f.Plain.Images + f.Pale.Images)
	for _, sum := range []*float64{&f.Confidence, &f.Loss, &f.RightLogit, &f.OtherLogits, &f.Spread} {
		*sum /= n
	}
	f.Accuracy = float64(f.Plain.Right+f.Pale.Right) / n
	slices.SortStableFunc(f.Confusions, func(a, b Confusion) int { return cmp.Compare(b.By, a.By) })
	return f, nil
}

// draw returns the image of a sticker.
func draw(name string, side int, ground color.RGBA, pale bool) (*car.Image, error) {
	drawn, err := stickers.Portrait(name, 0, side, side, stickerShare, ground)
	if err != nil {
		return nil, err
	}
	img := car.NewImage(side, side)
	base := [3]float64{float64(ground.R), float64(ground.G), float64(ground.B)}
	for i := range side * side {
		for c, b := range base {
			v := float64(drawn.Pix[4*i+c])
			if pale {
				v = math.Round(b + paleContrast*(v-b))
			}
			img.Pix[3*i+c] = uint8(v)
		}
	}
	return img, nil
}

func logits(image []float32, texts [][]float32, scale float64) []float64 {
	out := make([]float64, len(texts))
	for i, t := range texts {
		for d, v := range image {
			out[i] += scale * float64(v) * float64(t[d])
		}
	}
	return out
}

// add adds one image. A name with the same logit as the right one ranks before it, so
// that a model that gives all names the same logit is never right.
func (f *Measurements) add(names []string, right int, logits []float64, pale bool) {
	before, best := 0, -1
	mean, squares := 0.0, 0.0
	for i, l := range logits {
		if i == right {
			continue
		}
		mean += l
		squares += l * l
		if !(l < logits[right]) {
			before++
		}
		if best < 0 || l > logits[best] {
			best = i
		}
	}
	others := float64(len(logits) - 1)
	mean /= others
	top := max(logits[right], logits[best])
	sum := 0.0
	for _, l := range logits {
		sum += math.Exp(l - top)
	}
	f.Loss += math.Log(sum) - (logits[right] - top)
	f.Confidence += 1 / sum
	f.RightLogit += logits[right]
	f.OtherLogits += mean
	f.Spread += math.Sqrt(max(0, squares/others-mean*mean))

	score := &f.Plain
	if pale {
		score = &f.Pale
	}
	score.Images++
	if before < 5 {
		score.InFive++
	}
	if before == 0 {
		score.Right++
		return
	}
	f.Confusions = append(f.Confusions, Confusion{Shown: names[right], Named: names[best], Pale: pale, By: logits[best] - logits[right]})
}
