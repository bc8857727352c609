package models

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"

	"github.com/carve-video/carve/internal/bounded"
)

// An openCLIP has the settings of open_clip_config.json that tensors do not show.
type openCLIP struct {
	present   bool // whether there is such a file
	headWidth int
	textHeads int
	act       string
	pixels    pixels
}

// readOpenCLIP reads open_clip_config.json if there is one. OpenCLIP's defaults are heads
// of width 64 and GELU.
func readOpenCLIP(fsys fs.FS) (o openCLIP, err error) {
	b, err := bounded.ReadFS(fsys, openCLIPFile, maxConfig)
	if errors.Is(err, fs.ErrNotExist) {
		return o, nil
	}
	if err != nil {
		return o, err
	}
	var file struct {
		Model struct {
			QuickGELU bool `json:"quick_gelu"`
			Vision    struct {
				HeadWidth int `json:"head_width"`
			} `json:"vision_cfg"`
			Text struct {
				Heads int `json:"heads"`
			} `json:"text_cfg"`
		} `json:"model_cfg"`
		Preprocess struct {
			Mean []float32 `json:"mean"`
			Std  []float32 `json:"std"`
		} `json:"preprocess_cfg"`
	}
	if err := json.Unmarshal(b, &file); err != nil {
		return o, fmt.Errorf("%s: %w", openCLIPFile, err)
	}
	o = openCLIP{present: true, headWidth: 64, textHeads: 8, act: gelu}
	if n := file.Model.Vision.HeadWidth; n != 0 {
		o.headWidth = n
	}
	if n := file.Model.Text.Heads; n != 0 {
		o.textHeads = n
	}
	if file.Model.QuickGELU {
		o.act = quickGELU
	}
	o.pixels, err = newPixels(openCLIPFile, "mean", file.Preprocess.Mean, "std", file.Preprocess.Std)
	return o, err
}

// describe sets heads and activation of a config.
func (o openCLIP) describe(c *config) error {
	if !o.present {
		return nil
	}
	if o.headWidth < 0 || c.Vision.Width%o.headWidth != 0 {
		return fmt.Errorf("%s: head_width %d does not divide the width %d", openCLIPFile, o.headWidth, c.Vision.Width)
	}
	c.Vision.Heads, c.Text.Heads = c.Vision.Width/o.headWidth, o.textHeads
	c.Vision.Act, c.Text.Act = o.act, o.act
	return nil
}
