package main

import (
	"fmt"
	"image"
	"image/color"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/sheet"
)

// draw writes the trial as one picture: what was looked at, then a row of cells
// for every stage, then what was found.
func (t *trial) draw(path string, o atomicfile.Options) error {
	cells := []sheet.Cell{{Image: plain(t.img), Caption: "the picture"}}
	columns := 2
	for _, st := range t.Stages {
		columns = max(columns, min(len(st.Queries), 6))
	}
	blank := image.NewRGBA(image.Rect(0, 0, t.img.W, t.img.H))
	for i := range blank.Pix {
		blank.Pix[i] = [4]uint8{22, 24, 29, 255}[i%4] // as the sheet
	}
	fill := func() {
		for len(cells)%columns != 0 {
			cells = append(cells, sheet.Cell{Image: blank})
		}
	}
	found := t.masks()
	tags := make([]sheet.Tag, 0, len(t.result.Found))
	for _, f := range t.result.Found {
		c := t.colours[f.Query]
		tags = append(tags, sheet.Tag{Name: f.Label, Color: color.RGBA{c[0], c[1], c[2], 255}})
	}
	cells = append(cells, sheet.Cell{Image: found, Caption: "found", Tags: tags})
	for _, st := range t.Stages {
		fill()
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
	fill()
	at := clock(time.Duration(t.At * float64(time.Second)))
	img, err := sheet.Draw(cells, sheet.Options{Title: fmt.Sprintf("carve try: %s at %s, preset %s (score · presence)", t.Input, at, t.Preset), Columns: columns})
	if err != nil {
		return err
	}
	return writePNG(path, img, o)
}

func plain(img *car.Image) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, img.W, img.H))
	for i := range img.W * img.H {
		copy(out.Pix[4*i:], img.Pix[3*i:3*i+3])
		out.Pix[4*i+3] = 255
	}
	return out
}

// heat draws a heat map over the picture in grey, with the outline of what is
// above eta in white.
func (t *trial) heat(heat []float32) *image.RGBA {
	w, h := t.img.W, t.img.H
	out := plain(t.img)
	for i, v := range heat {
		p := out.Pix[4*i : 4*i+3]
		grey := 0.5 * (0.299*float32(p[0]) + 0.587*float32(p[1]) + 0.114*float32(p[2]))
		// From the grey picture over red to yellow.
		p[0] = uint8(min(grey+v*200, 255))
		p[1] = uint8(min(grey+max(v-0.5, 0)*300, 255))
		p[2] = uint8(grey * (1 - v))
	}
	for y := range h {
		for x := range w {
			i := y*w + x
			if heat[i] <= t.eta {
				continue
			}
			if x == 0 || y == 0 || x == w-1 || y == h-1 || heat[i-1] <= t.eta || heat[i+1] <= t.eta || heat[i-w] <= t.eta || heat[i+w] <= t.eta {
				copy(out.Pix[4*i:], []uint8{255, 255, 255})
			}
		}
	}
	return out
}

// masks draws what was found over the picture, in the queries' colours.
func (t *trial) masks() *image.RGBA {
	out := plain(t.img)
	for _, f := range t.result.Found {
		c := t.colours[f.Query]
		for i, p := range f.Probability {
			if a := p - 0.5; a > 0 {
				a = min(4*a, 1) * 0.55
				for k := range c {
					v := &out.Pix[4*i+k]
					*v = uint8(float32(*v)*(1-a) + float32(c[k])*a)
				}
			}
		}
	}
	return out
}
