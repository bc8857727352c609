package main

import (
	"github.com/carve-video/carve"
	"github.com/carve-video/carve/internal/outputspec"
	"github.com/carve-video/carve/video"
	"github.com/carve-video/carve/video/overlay"
)

// overlayKeys are the keys of an overlay.
type overlayKeys struct {
	conceptKeys
	splitKeys
	Layout  carve.Layout    `key:"layout" doc:"masks over the frame, or the source beside that" values:"over|side"`
	Opacity float64         `key:"opacity" doc:"opacity of the fill, 0 to 1"`
	Contour float64         `key:"contour" doc:"width of the outline in a frame of 1080 rows, 0 for none" unit:"pixels"`
	Palette overlay.Palette `key:"palette" doc:"colours of queries without one of their own: told apart with colour blindness, or those of indexed masks" values:"safe|davis"`
	Labels  overlay.Labels  `key:"labels" doc:"where names are written" values:"legend|thing|both|off"`
	Legend  overlay.Corner  `key:"legend" doc:"corner of the legend; auto is the one with the least masks" values:"auto|top-left|top-right|bottom-left|bottom-right"`
	formatKeys
	encoderKeys
	shapingKeys
}

func (o *outputOptions) overlayKind() outputspec.Kind {
	return outputspec.Kind{Name: "overlay", About: "the video with masks and names drawn over it", Example: "overlay,labels=thing,opacity=0.6:out.mp4",
		New: func() any {
			style := overlay.DefaultStyle()
			return &overlayKeys{splitKeys: splitKeys{splitNone}, Layout: carve.LayoutOver, Opacity: style.Opacity, Contour: style.Contour, encoderKeys: o.encoderKeys(), shapingKeys: shapingKeys{Soft: true}}
		}}
}

func (k *overlayKeys) check(path string) error {
	if s := k.shaping(); s != nil {
		if err := s.Check(); err != nil {
			return err
		}
	}
	if err := checkCRF(k.CRF); err != nil {
		return err
	}
	if err := k.checkPlaces(path, k.Concepts); err != nil {
		return err
	}
	return k.style().Check()
}

func (k *overlayKeys) only(label string) outputKeys {
	one := *k
	one.Concepts, one.Split = []string{label}, splitNone
	return &one
}

func (k *overlayKeys) style() *overlay.Style {
	return &overlay.Style{Opacity: k.Opacity, Contour: k.Contour, Labels: k.Labels, Legend: k.Legend}
}

func (k *overlayKeys) coded(c video.Coded) video.Coded {
	if k.Layout == carve.LayoutSide {
		return c.SideBySide()
	}
	return c
}

func (k *overlayKeys) sink(path string, in *input) carve.Sink {
	return &carve.Overlay{Style: k.style(), Layout: k.Layout, Palette: k.Palette, Concepts: k.Concepts, Shaping: k.shaping(),
		Output: video.Sink{Path: path, Format: k.Format, Source: in.source, Encoder: k.Encoder, CRF: k.CRF, Lossless: k.CRF == 0,
			Preset: k.EncoderPreset, Threads: in.budget.encoders[path].Threads, Lookahead: in.budget.encoders[path].Lookahead,
			Overwrite: in.overwrite, Protect: in.protect, Log: in.log}}
}
