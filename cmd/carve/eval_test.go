package main

import (
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// drawMasks writes PNGs from 00000.png on to a folder: "masks indexed FILE DIR". FILE has
// images drawn in letters, separated by empty lines: a digit is an object, v is void
// (255), anything else is nothing. The kind of PNG is indexed, grey, grey16 or colour.
// "masks indexed FILE DIR 1" starts at 00001.png.
func drawMasks(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 && len(args) != 4 {
		ts.Fatalf("usage: masks KIND FILE DIR [FIRST]")
	}
	first := 0
	if len(args) == 4 {
		_, err := fmt.Sscan(args[3], &first)
		ts.Check(err)
	}
	dir := ts.MkAbs(args[2])
	ts.Check(os.MkdirAll(dir, 0o755))
	for i, text := range strings.Split(strings.TrimSpace(ts.ReadFile(args[1])), "\n\n") {
		rows := strings.Fields(text)
		palette := make(color.Palette, 256)
		for k := range palette {
			palette[k] = color.Gray{uint8(k)}
		}
		indexed := image.NewPaletted(image.Rect(0, 0, len(rows[0]), len(rows)), palette)
		for y, row := range rows {
			for x, c := range row {
				switch {
				case c >= '0' && c <= '9':
					indexed.SetColorIndex(x, y, uint8(c-'0'))
				case c == 'v':
					indexed.SetColorIndex(x, y, 255)
				}
			}
		}
		var img draw.Image
		switch args[0] {
		case "indexed":
			img = indexed
		case "grey":
			img = image.NewGray(indexed.Rect)
		case "grey16":
			img = image.NewGray16(indexed.Rect)
		case "colour":
			img = image.NewNRGBA(indexed.Rect)
		default:
			ts.Fatalf("there are no masks of the kind %q", args[0])
		}
		if img != draw.Image(indexed) {
			draw.Draw(img, img.Bounds(), indexed, image.Point{}, draw.Src)
		}
		f, err := os.Create(filepath.Join(dir, fmt.Sprintf("%05d.png", first+i)))
		ts.Check(err)
		ts.Check(png.Encode(f, img))
		ts.Check(f.Close())
	}
}
