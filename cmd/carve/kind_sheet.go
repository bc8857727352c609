package main

import (
	"cmp"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/internal/outputspec"
	"github.com/carve-video/carve/video/overlay"
)

// sheetKeys are the keys of a contact sheet.
type sheetKeys struct {
	conceptKeys
	Columns int             `key:"columns" doc:"frames side by side; 0 makes about 24 frames in the shape of a screen"`
	Rows    int             `key:"rows" doc:"rows of frames; 0 as for columns"`
	Width   int             `key:"width" doc:"width of a frame; 0 makes it as large as 320x180" unit:"pixels"`
	Labels  overlay.Labels  `key:"labels" doc:"where names are written: below a frame (legend), at the objects, both, off" values:"legend|thing|both|off"`
	Palette overlay.Palette `key:"palette" doc:"colours of queries without one of their own, see overlay" values:"safe|davis"`
	shapingKeys
}

func sheetKind() outputspec.Kind {
	return outputspec.Kind{Name: "sheet", About: "a contact sheet: frames of the video with masks, times and names", Example: "sheet,columns=5,rows=4:sheet.png",
		New: func() any { return &sheetKeys{shapingKeys: shapingKeys{Soft: true}} }}
}

func (k *sheetKeys) check(path string) error {
	return cmp.Or(k.sheet(path).Check(), k.checkWhole(path))
}

func (k *sheetKeys) sheet(path string) *carve.Sheet {
	return &carve.Sheet{Path: path, Columns: k.Columns, Rows: k.Rows, Width: k.Width, Labels: k.Labels, Palette: k.Palette,
		Concepts: k.Concepts, Shaping: k.shaping()}
}

func (k *sheetKeys) sink(path string, in *input) carve.Sink {
	s := k.sheet(path)
	s.Overwrite, s.Protect = in.overwrite, in.protect
	return s
}

func (k *sheetKeys) bytes(w, h, _ int) int64 { return k.sheet("").Bytes(w, h) }

// stripKeys are the keys of a strip.
type stripKeys struct {
	conceptKeys
	Columns int             `key:"columns" doc:"moments of each concept"`
	Width   int             `key:"width" doc:"width of a moment; 0 makes it as large as 240x135" unit:"pixels"`
	Zoom    float64         `key:"zoom" doc:"how much a small object is enlarged at most; 1 shows whole frames"`
	Palette overlay.Palette `key:"palette" doc:"colours of queries without one of their own, see overlay" values:"safe|davis"`
	shapingKeys
}

func stripKind() outputspec.Kind {
	return outputspec.Kind{Name: "strip", About: "an image with a row per concept: its best moments, and when it is seen", Example: "strip,columns=8:strip.png",
		New: func() any { return &stripKeys{Columns: 6, Zoom: 3, shapingKeys: shapingKeys{Soft: true}} }}
}

func (k *stripKeys) check(path string) error {
	return cmp.Or(k.strip(path).Check(), k.checkWhole(path))
}

func (k *stripKeys) strip(path string) *carve.Strip {
	return &carve.Strip{Path: path, Columns: k.Columns, Width: k.Width, Zoom: k.Zoom, Palette: k.Palette, Concepts: k.Concepts, Shaping: k.shaping()}
}

func (k *stripKeys) sink(path string, in *input) carve.Sink {
	s := k.strip(path)
	s.Overwrite, s.Protect = in.overwrite, in.protect
	return s
}

func (k *stripKeys) bytes(w, h, queries int) int64 { return k.strip("").Bytes(w, h, queries) }
