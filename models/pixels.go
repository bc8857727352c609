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

// The input of a model is pixels from 0 to 1, minus a mean, divided by a standard
// deviation: those of its training images. They cannot be read from the tensors, and wrong
// values give no error but worse results. They are never guessed.

// CLIPMean and CLIPStd are those of OpenAI's models and of most later ones (docs/algorithm.md 3.1).
var (
	CLIPMean = [3]float32{0.48145466, 0.4578275, 0.40821073}
	CLIPStd  = [3]float32{0.26862954, 0.26130258, 0.27577711}
)

// maxPixel is the largest mean and deviation accepted; pixels are from 0 to 1.
const maxPixel = 1000

// pixels are a mean and a standard deviation, for red, green and blue.
type pixels struct {
	mean, std [3]float32
	from      string // where they come from; empty if they are not known
}

// newPixels checks a mean and a standard deviation. If one of them is nil, it returns no
// pixels. from is their source, meanName and stdName are their names in it.
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

// same reports whether two are equal up to rounding.
func (p pixels) same(q pixels) bool {
	for i := range p.mean {
		if math.Abs(float64(p.mean[i]-q.mean[i])) > 1e-3 || math.Abs(float64(p.std[i]-q.std[i])) > 1e-3 {
			return false
		}
	}
	return true
}

const preprocessorFile = "preprocessor_config.json"

// readPreprocessor reads mean and deviation from Hugging Face's preprocessor_config.json,
// if there is one.
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

// A ConflictError says that two files of a model contradict each other about a setting
// that cannot be read from the tensors.
type ConflictError struct {
	What   string
	Files  [2]string
	Values [2]string
}

func (e *ConflictError) Error() string {
	return fmt.Sprintf("%s says that the %s is %s, and %s that it is %s", e.Files[0], e.What, e.Values[0], e.Files[1], e.Values[1])
}

// Hint says how to solve it.
func (e *ConflictError) Hint() string {
	return "find out from the publisher which is right, and import it with --mean and --std"
}

// choosePixels sets the pixels of a config: from the options; else from the files next to
// the weights, which must agree; else from the weights, if they are an archive of OpenAI.
func (c *config) choosePixels(o Options, fromFiles []pixels, w *weights) error {
	if o.Mean != nil || o.Std != nil {
		p, err := newPixels("the options", "mean", o.Mean, "standard deviation", o.Std)
		if err == nil && p.from == "" {
			err = errors.New("the options give one of mean and standard deviation without the other")
		}
		c.pixels = p
		return err
	}
	given := slices.DeleteFunc(fromFiles, func(p pixels) bool { return p.from == "" })
	switch {
	case len(given) > 0:
		c.pixels = given[0]
		for _, p := range given[1:] {
			if !p.same(given[0]) {
				e := &ConflictError{What: "mean of its pixels", Files: [2]string{given[0].from, p.from},
					Values: [2]string{fmt.Sprint(given[0].mean), fmt.Sprint(p.mean)}}
				if given[0].mean == p.mean {
					e.What, e.Values = "standard deviation of its pixels", [2]string{fmt.Sprint(given[0].std), fmt.Sprint(p.std)}
				}
				return e
			}
		}
	case w.isOpenAI():
		c.pixels = pixels{CLIPMean, CLIPStd, "OpenAI's archive"}
	}
	return nil
}
