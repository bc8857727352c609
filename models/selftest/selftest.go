// Package selftest tells whether a CLIP is loaded as it was trained.
//
// A checkpoint that is read wrongly gives no error. With the channels swapped, the
// wrong tokens or another mean of its pixels it still makes vectors, only worse
// ones, and looks like a bad method. So the model is shown what anybody can name:
// the 64 stickers that are built into the program, each upright on a plain ground,
// and half of them again at half the contrast. It has to find the right name among
// the 64.
//
// The floors below were chosen with the demo model, the only one that is at hand
// where carve is written, and with what wrong settings do to it; docs/selftest.md
// has the table, and says what the test cannot tell.
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

// Version is counted up when the pictures, the texts or the floors change, so that
// what was kept of an older test does not count.
const Version = 1

// The floors, as shares of the pictures. The demo model names 64 of 64 plain and 28
// of 32 pale stickers.
const (
	floorPlain = 0.875  // 56 of 64
	floorPale  = 0.6875 // 22 of 32

	// A model that is right far more often than it is sure multiplies its cosines by
	// too little, and the other way round.
	maxGap = 0.4

	// CLIPs are trained with a scale of 100 at most (exp 4.6052); this leaves room for
	// what half precision makes of it.
	maxScale = 101
)

// How a sticker is shown.
const (
	share = 0.6 // of the picture's side
	pale  = 0.5 // of the contrast
)

// grounds are what stickers stand on, in turn. Many emoji are white or have pale
// edges, which white would swallow.
var grounds = []color.RGBA{{128, 128, 128, 255}, {200, 205, 210, 255}, {90, 140, 200, 255}, {110, 160, 90, 255}}

// text asks for a sticker. The name is in capitals because a tokenizer that does not
// lower them has other tokens for it; to one that does it makes no difference.
func text(name string) string { return "a photo of a " + strings.ToUpper(name) + "." }

// A Score is how many of some pictures were named right.
type Score struct {
	Pictures int `json:"pictures"`
	Right    int `json:"right"`
	InFive   int `json:"in_five"` // the right name was among the best five
}

// A Confusion is a picture that was named wrong.
type Confusion struct {
	Shown string  `json:"shown"`
	Named string  `json:"named"`
	Pale  bool    `json:"pale"`
	By    float64 `json:"by"` // the logit of the wrong name less that of the right one
}

// Figures are what came out of a test.
type Figures struct {
	Plain Score `json:"plain"`
	Pale  Score `json:"pale"`

	// Accuracy is the share of all pictures that were named right, Confidence the mean
	// probability of the name that was given, Loss the mean negative logarithm of the
	// right name's probability.
	Accuracy   float64 `json:"accuracy"`
	Confidence float64 `json:"confidence"`
	Loss       float64 `json:"loss"`

	// Scale is what cosines are multiplied by; the rest are means of what comes of it:
	// the logit of the right name, that of the others, and the deviation of the others.
	Scale       float64 `json:"scale"`
	RightLogit  float64 `json:"right_logit"`
	OtherLogits float64 `json:"other_logits"`
	Spread      float64 `json:"spread"`

	// Confusions are the wrong names, the worst first.
	Confusions []Confusion `json:"confusions"`
}

// Doubts says what is below the floors; nothing where all is well.
func (f *Figures) Doubts() []string {
	doubts := []string{}
	for _, s := range []struct {
		Score
		kind  string
		floor float64
	}{{f.Plain, "stickers", floorPlain}, {f.Pale, "pale stickers", floorPale}} {
		if least := int(math.Ceil(s.floor * float64(s.Pictures))); s.Right < least {
			doubts = append(doubts, fmt.Sprintf("it names %d of %d %s right, and at least %d are expected", s.Right, s.Pictures, s.kind, least))
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

// Measure shows a model the stickers.
func Measure(ctx context.Context, judge car.Judge) (*Figures, error) {
	names := stickers.Concepts()
	texts := make([]string, len(names))
	for i, name := range names {
		texts[i] = text(name)
	}
	said, err := judge.EncodeTexts(ctx, texts)
	if err != nil {
		return nil, err
	}
	f := &Figures{Scale: float64(judge.LogitScale()), Confusions: []Confusion{}}
	for _, paled := range []bool{false, true} {
		var shown []int // names, by their numbers
		var pictures []*car.Image
		for i, name := range names {
			if paled && i/len(grounds)%2 != 0 {
				continue
			}
			picture, err := draw(name, judge.InputSize(), grounds[i%len(grounds)], paled)
			if err != nil {
				return nil, err
			}
			shown, pictures = append(shown, i), append(pictures, picture)
		}
		seen, err := judge.EncodeImages(ctx, pictures)
		if err != nil {
			return nil, err
		}
		for k, v := range seen {
			f.add(names, shown[k], logits(v, said, f.Scale), paled)
		}
	}
	n := float64(f.Plain.Pictures + f.Pale.Pictures)
	for _, sum := range []*float64{&f.Confidence, &f.Loss, &f.RightLogit, &f.OtherLogits, &f.Spread} {
		*sum /= n
	}
	f.Accuracy = float64(f.Plain.Right+f.Pale.Right) / n
	slices.SortStableFunc(f.Confusions, func(a, b Confusion) int { return cmp.Compare(b.By, a.By) })
	return f, nil
}

// draw is a picture of a sticker.
func draw(name string, side int, ground color.RGBA, paled bool) (*car.Image, error) {
	drawn, err := stickers.Portrait(name, 0, side, side, share, ground)
	if err != nil {
		return nil, err
	}
	img := car.NewImage(side, side)
	base := [3]float64{float64(ground.R), float64(ground.G), float64(ground.B)}
	for i := range side * side {
		for c, b := range base {
			v := float64(drawn.Pix[4*i+c])
			if paled {
				v = math.Round(b + pale*(v-b))
			}
			img.Pix[3*i+c] = uint8(v)
		}
	}
	return img, nil
}

func logits(picture []float32, texts [][]float32, scale float64) []float64 {
	out := make([]float64, len(texts))
	for i, t := range texts {
		for d, v := range picture {
			out[i] += scale * float64(v) * float64(t[d])
		}
	}
	return out
}

// add counts one picture. A name that is as likely as the right one stands before
// it: a model that says the same of all is right about none.
func (f *Figures) add(names []string, right int, logits []float64, paled bool) {
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
	if paled {
		score = &f.Pale
	}
	score.Pictures++
	if before < 5 {
		score.InFive++
	}
	if before == 0 {
		score.Right++
		return
	}
	f.Confusions = append(f.Confusions, Confusion{Shown: names[right], Named: names[best], Pale: paled, By: logits[best] - logits[right]})
}
