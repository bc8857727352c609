package main

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"slices"
	"time"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/sheet"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/video"
	"github.com/carve-video/carve/video/overlay"
)

// displaySide is the long side of the displayed frame: edges are clearly visible, and two
// frames fit beside each other on a large screen.
const displaySide = 960

// sheetColour is the background of a sheet.
var sheetColour = color.RGBA{22, 24, 29, 255}

// The layout of the trial's sheet.
const (
	minCell    = 320 // width in pixels
	maxColumns = 6   // cells beside each other
)

// draw writes the trial as one image: the frame and the result, large, then a row of cells
// for every stage.
func (t *trial) draw(path string, o atomicfile.Options) error {
	found, err := t.found()
	if err != nil {
		return err
	}
	at := ui.Clock(time.Duration(t.At * float64(time.Second)))
	title := fmt.Sprintf("carve try: %s at %s, preset %s · %s (captions: score · presence)", t.Input, at, t.Preset, t.thresholdText())
	cell := max(t.display.W, minCell)
	top, err := sheet.Draw([]sheet.Cell{{Image: rgbaOf(t.display), Caption: "frame"}, {Image: found, Caption: "found", Tags: t.tags()}},
		sheet.Options{Title: title, Columns: 2, CellWidth: cell})
	if err != nil {
		return err
	}
	stages, columns := t.stageCells()
	bottom, err := sheet.Draw(stages, sheet.Options{Columns: columns, CellWidth: min(cell, max(minCell, 2*cell/columns))})
	if err != nil {
		return err
	}
	img := image.NewRGBA(image.Rect(0, 0, max(top.Rect.Dx(), bottom.Rect.Dx()), top.Rect.Dy()+bottom.Rect.Dy()))
	draw.Draw(img, img.Rect, image.NewUniform(sheetColour), image.Point{}, draw.Src)
	draw.Draw(img, top.Rect, top, image.Point{}, draw.Src)
	draw.Draw(img, bottom.Rect.Add(image.Pt(0, top.Rect.Dy())), bottom, image.Point{}, draw.Src)
	return writePNG(path, img, o)
}

// tags returns the names of the found objects with their colours.
func (t *trial) tags() []sheet.Tag {
	tags := make([]sheet.Tag, 0, len(t.result.Found))
	for _, f := range t.result.Found {
		c := t.colours[f.Query]
		tags = append(tags, sheet.Tag{Name: f.Label, Color: color.RGBA{c[0], c[1], c[2], 255}})
	}
	return tags
}

// stageCells returns the heat of every query in every stage, one or more rows per stage.
func (t *trial) stageCells() (cells []sheet.Cell, columns int) {
	for _, st := range t.Stages {
		columns = max(columns, min(len(st.Queries), maxColumns))
	}
	blank := image.NewRGBA(image.Rect(0, 0, t.img.W, t.img.H))
	draw.Draw(blank, blank.Rect, image.NewUniform(sheetColour), image.Point{}, draw.Src)
	for _, st := range t.Stages {
		for len(cells)%columns != 0 {
			cells = append(cells, sheet.Cell{Image: blank})
		}
		for _, q := range st.Queries {
			caption := fmt.Sprintf("%d: %s  %.2f", st.Number, q.Label, q.Score)
			if q.Presence > 0 {
				caption += fmt.Sprintf(" · %.2f", q.Presence)
			}
			state := sheet.Tag{Name: "kept", Color: color.RGBA{90, 200, 120, 255}}
			if !q.Kept {
				state = sheet.Tag{Name: "dropped", Color: color.RGBA{220, 90, 80, 255}}
			}
			cells = append(cells, sheet.Cell{Image: t.heat(q.heat), Caption: caption, Tags: []sheet.Tag{state}})
		}
	}
	return cells, columns
}

// rgbaOf converts an image to RGBA.
func rgbaOf(img *car.Image) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, img.W, img.H))
	for i := range img.W * img.H {
		copy(out.Pix[4*i:], img.Pix[3*i:3*i+3])
		out.Pix[4*i+3] = 255
	}
	return out
}

// heat draws a heat map over the image in grey, with a white outline of the area above
// eta.
func (t *trial) heat(heat []float32) *image.RGBA {
	w, h, eta := t.img.W, t.img.H, t.Thresholds.Eta
	out := rgbaOf(t.img)
	for i, v := range heat {
		p := out.Pix[4*i : 4*i+3]
		grey := 0.5 * (0.299*float32(p[0]) + 0.587*float32(p[1]) + 0.114*float32(p[2]))
		// From grey over red to yellow.
		p[0] = uint8(min(grey+v*200, 255))
		p[1] = uint8(min(grey+max(v-0.5, 0)*300, 255))
		p[2] = uint8(grey * (1 - v))
	}
	for y := range h {
		for x := range w {
			i := y*w + x
			if heat[i] <= eta {
				continue
			}
			if x == 0 || y == 0 || x == w-1 || y == h-1 || heat[i-1] <= eta || heat[i+1] <= eta || heat[i-w] <= eta || heat[i+w] <= eta {
				copy(out.Pix[4*i:], []uint8{255, 255, 255})
			}
		}
	}
	return out
}

// found draws the result as in a video, in the queries' colours and with the legend.
func (t *trial) found() (*image.RGBA, error) {
	w, h := t.display.W, t.display.H
	p := &overlay.Painter{Width: w, Height: h, Threads: t.threads, Format: overlay.Format{RGB: true,
		Components: []overlay.Component{{Step: 3, Depth: 8}, {Step: 3, Offset: 1, Depth: 8}, {Step: 3, Offset: 2, Depth: 8}}}}
	if err := p.Initialize(); err != nil {
		return nil, err
	}
	luma := make([]byte, w*h)
	for i := range luma {
		rgb := t.display.Pix[3*i : 3*i+3]
		luma[i] = uint8((299*int(rgb[0]) + 587*int(rgb[1]) + 114*int(rgb[2])) / 1000)
	}
	found := carve.Layers(t.result, nil, t.colours)
	u := &carve.Upsampler{Info: video.Info{Width: w, Height: h}, Overlap: t.overlap, Threads: t.threads}
	u.MasksAlong(luma, found, t.img.W, t.img.H)
	var layers []overlay.Layer
	for _, l := range found {
		layers = append(layers, overlay.Layer{Alpha: l.Mask, Extent: l.Extent, Colour: l.Colour, Label: l.Label, Score: l.Score})
	}
	out := &car.Image{Pix: slices.Clone(t.display.Pix), W: w, H: h}
	if err := p.Draw([]overlay.Plane{{Data: out.Pix, Stride: 3 * w}}, layers); err != nil {
		return nil, err
	}
	return rgbaOf(out), nil
}
