package models

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"

	"github.com/carve-video/carve/internal/bounded"
)

// A model sees pixels from 0 to 1 less a mean, divided by a standard deviation:
// those of the pictures that it was trained on. No tensor shows them, and a wrong
// pair gives no error but a worse model. They are never guessed.

// CLIPMean and CLIPStd are those of OpenAI's models, and of most that came after
// (docs/algorithm.md 3.1).
var (
	CLIPMean = [3]float32{0.48145466, 0.4578275, 0.40821073}
	CLIPStd  = [3]float32{0.26862954, 0.26130258, 0.27577711}
)

// maxPixel bounds means and deviations of pixels, which are from 0 to 1.
const maxPixel = 1000

// pixels are a mean and a standard deviation, for red, green and blue.
type pixels struct {
	mean, std [3]float32
	from      string // what said so; empty where nothing did
}

// newPixels checks what from says. One that says neither, or only one of the two,
// says nothing. meanName and stdName are what from calls them.
func newPixels(from, meanName string, mean []float32, stdName string, std []float32) (p pixels, err error) {
	for _, v := range []struct {
		name    string
		numbers []float32
		low     float64
	}{{meanName, mean, 0}, {stdName, std, 1. / maxPixel}} {
		if v.numbers == nil {
			continue
		}
		if len(v.numbers) != 3 {
			return p, fmt.Errorf("%s: %s has %d numbers, want 3", from, v.name, len(v.numbers))
		}
		for _, x := range v.numbers {
			size := float64(x)
			if v.low == 0 {
				size = math.Abs(size)
			}
			if !(size >= v.low && size <= maxPixel) {
				return p, fmt.Errorf("%s: %s %v is out of range", from, v.name, v.numbers)
			}
		}
	}
	if mean == nil || std == nil {
		return p, nil
	}
	return pixels{[3]float32(mean), [3]float32(std), from}, nil
}

// same tells whether two are the same but for how they were rounded.
func (p pixels) same(q pixels) bool {
	for i := range p.mean {
		if math.Abs(float64(p.mean[i]-q.mean[i])) > 1e-3 || math.Abs(float64(p.std[i]-q.std[i])) > 1e-3 {
			return false
		}
	}
	return true
}

const preprocessorFile = "preprocessor_config.json"

// readPreprocessor takes mean and deviation from preprocessor_config.json, Hugging
// Face's, where there is one.
func readPreprocessor(fsys fs.FS) (pixels, error) {
	b, err := bounded.ReadFS(fsys, preprocessorFile, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return pixels{}, nil
	}
	if err != nil {
		return pixels{}, err
	}
	var said struct {
		Mean []float32 `json:"image_mean"`
		Std  []float32 `json:"image_std"`
	}
	if err := json.Unmarshal(b, &said); err != nil {
		return pixels{}, fmt.Errorf("%s: %w", preprocessorFile, err)
	}
	return newPixels(preprocessorFile, "image_mean", said.Mean, "image_std", said.Std)
}

// A DisagreeError says that two files of a model contradict each other about
// something that no tensor shows.
type DisagreeError struct {
	What   string
	Files  [2]string
	Values [2]string
}

func (e *DisagreeError) Error() string {
	return fmt.Sprintf("%s says that the %s is %s, and %s that it is %s", e.Files[0], e.What, e.Values[0], e.Files[1], e.Values[1])
}

// Hint says what to do about it.
func (e *DisagreeError) Hint() string {
	return "find out from the publisher which is right, and import it with --mean and --std"
}

// settlePixels takes what the options say; else what the files beside the weights
// do, which must agree; else what the weights themselves are known by.
func (c *config) settlePixels(o Options, beside []pixels, w *weights) error {
	if o.Mean != nil || o.Std != nil {
		p, err := newPixels("the options", "mean", o.Mean, "standard deviation", o.Std)
		if err == nil && p.from == "" {
			err = errors.New("the options give one of mean and standard deviation without the other")
		}
		c.pixels = p
		return err
	}
	said := slices.DeleteFunc(beside, func(p pixels) bool { return p.from == "" })
	switch {
	case len(said) > 0:
		c.pixels = said[0]
		for _, p := range said[1:] {
			if !p.same(said[0]) {
				e := &DisagreeError{What: "mean of its pixels", Files: [2]string{said[0].from, p.from},
					Values: [2]string{fmt.Sprint(said[0].mean), fmt.Sprint(p.mean)}}
				if said[0].mean == p.mean {
					e.What, e.Values = "standard deviation of its pixels", [2]string{fmt.Sprint(said[0].std), fmt.Sprint(p.std)}
				}
				return e
			}
		}
	case w.isOpenAI():
		c.pixels = pixels{CLIPMean, CLIPStd, "OpenAI's archive"}
	}
	return nil
}
