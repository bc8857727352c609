package main

import (
	"fmt"
	"math"
	"strconv"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/internal/outputspec"
)

// conceptKeys are the keys of all kinds.
type conceptKeys struct {
	Concepts []string `key:"concept" doc:"only the query with this label; may be repeated"`
}

func (k *conceptKeys) concepts() []string { return k.Concepts }

// shapingKeys are the keys of all kinds that show masks.
type shapingKeys struct {
	Soft      bool    `key:"soft" doc:"keep the soft edge of masks"`
	MinArea   float64 `key:"min-area" doc:"drop parts of a mask that are smaller" unit:"pixels"`
	FillHoles holes   `key:"fill-holes" doc:"fill holes in masks: yes, or up to so many pixels"`
	Grow      float64 `key:"grow" doc:"move edges outward" unit:"pixels"`
	Shrink    float64 `key:"shrink" doc:"move edges inward" unit:"pixels"`
	Feather   float64 `key:"feather" doc:"width of the ramp that edges become" unit:"pixels"`
	Invert    bool    `key:"invert" doc:"exchange inside and outside"`
}

// shaping returns nil if masks stay as they are.
func (k *shapingKeys) shaping() *carve.Shaping {
	if *k == (shapingKeys{Soft: true}) {
		return nil
	}
	return &carve.Shaping{Soft: k.Soft, MinArea: k.MinArea, FillHoles: float64(k.FillHoles), Grow: k.Grow, Shrink: k.Shrink, Feather: k.Feather, Invert: k.Invert}
}

// holes is the area of holes that are filled.
type holes float64

// UnmarshalText parses yes, no, or an area.
func (h *holes) UnmarshalText(text []byte) error {
	switch string(text) {
	case "yes":
		*h = holes(math.Inf(1))
	case "no":
		*h = 0
	default:
		v, err := strconv.ParseFloat(string(text), 64)
		if err != nil || !(v >= 0) {
			return outputspec.Wanted("yes, no, or a number of pixels")
		}
		*h = holes(v)
	}
	return nil
}

func (h holes) String() string {
	switch {
	case h == 0:
		return "no"
	case math.IsInf(float64(h), 1):
		return "yes"
	}
	return strconv.FormatFloat(float64(h), 'g', -1, 64)
}

// encoderKeys are the keys of all kinds that are videos. The flags of these names are their
// defaults.
type encoderKeys struct {
	Encoder       string `key:"encoder" doc:"video encoder, by its name in FFmpeg (default: --encoder)"`
	CRF           int    `key:"crf" doc:"quality of the encoder, 0 (lossless) to 51"`
	EncoderPreset string `key:"encoder-preset" doc:"speed of the encoder: ultrafast to veryslow"`
}

func (o *outputOptions) encoderKeys() encoderKeys {
	return encoderKeys{Encoder: o.encoder, CRF: o.crf, EncoderPreset: o.encoderPreset}
}

// An encoding says how an output is encoded.
type encoding struct {
	encoderKeys
	pixels    string // pixel format; empty is that of the source
	videoOnly bool   // no other stream is copied
}

func (k *encoderKeys) encoding(string) encoding { return encoding{encoderKeys: *k} }

func (k *encoderKeys) encoderFlags() *encoderKeys { return k }

func checkCRF(crf int) error {
	if crf < 0 || crf > 51 {
		return fmt.Errorf("crf is %d, which is not between 0 and 51", crf)
	}
	return nil
}
