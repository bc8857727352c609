package stickers

import (
	"bytes"
	_ "embed" // the sheet and its index
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"sync"
)

//go:embed sheet.png
var sheetPNG []byte

//go:embed sheet.json
var sheetJSON []byte

// A texture is one emoji at one level of detail: premultiplied RGBA in 0..1,
// interleaved, side×side.
type texture struct {
	side int
	pix  []float32
}

// mipLevels are the levels of detail of a sticker: 128, 64, 32 and 16 px.
const mipLevels = 4

type atlas struct {
	names []string
	of    map[string][]int // cells of each concept
	mips  [][mipLevels]texture
}

// sheet decodes the embedded emoji once. They are part of the program, so a decoding
// error is a bug and panics.
var sheet = sync.OnceValue(func() *atlas {
	a, err := newAtlas(sheetPNG, sheetJSON)
	if err != nil {
		panic("stickers: embedded sheet: " + err.Error())
	}
	return a
})

func newAtlas(encoded, index []byte) (*atlas, error) {
	var idx struct {
		Cell, Columns, Count int
		Concepts             []struct {
			Name  string
			Cells []int
		}
	}
	if err := json.Unmarshal(index, &idx); err != nil {
		return nil, fmt.Errorf("reading the index: %w", err)
	}
	decoded, err := png.Decode(bytes.NewReader(encoded))
	if err != nil {
		return nil, fmt.Errorf("decoding the picture: %w", err)
	}
	img, ok := decoded.(*image.NRGBA)
	if !ok {
		return nil, fmt.Errorf("the picture is %T, not straight-alpha RGBA", decoded)
	}
	a := &atlas{of: make(map[string][]int), mips: make([][mipLevels]texture, idx.Count)}
	for i := range idx.Count {
		t := texture{side: idx.Cell, pix: make([]float32, 4*idx.Cell*idx.Cell)}
		x0, y0 := i%idx.Columns*idx.Cell, i/idx.Columns*idx.Cell
		for y := range idx.Cell {
			row := img.Pix[img.PixOffset(x0, y0+y):]
			for x := range idx.Cell {
				al := float32(row[4*x+3]) / 255
				o := 4 * (y*idx.Cell + x)
				for c := range 3 {
					t.pix[o+c] = float32(row[4*x+c]) / 255 * al
				}
				t.pix[o+3] = al
			}
		}
		for l := range mipLevels {
			a.mips[i][l] = t.shrink(1 << l)
		}
	}
	for _, c := range idx.Concepts {
		a.names = append(a.names, c.Name)
		a.of[c.Name] = c.Cells
	}
	return a, nil
}

// shrink averages k×k blocks.
func (t texture) shrink(k int) texture {
	s := texture{side: t.side / k, pix: make([]float32, 4*(t.side/k)*(t.side/k))}
	for y := range s.side * k {
		for x := range s.side * k {
			for c := range 4 {
				s.pix[4*(y/k*s.side+x/k)+c] += t.pix[4*(y*t.side+x)+c] / float32(k*k)
			}
		}
	}
	return s
}

// at returns a texel; everything outside the texture is transparent.
func (t texture) at(x, y int) []float32 {
	if uint(x) >= uint(t.side) || uint(y) >= uint(t.side) {
		return transparent[:]
	}
	o := 4 * (y*t.side + x)
	return t.pix[o : o+4 : o+4]
}

var transparent [4]float32

// Concepts returns the concepts that stickers can show, in the order of the model's
// training script.
func Concepts() []string {
	return append([]string(nil), sheet().names...)
}

// Variants returns the number of different stickers of a concept, 0 for an unknown
// name.
func Variants(concept string) int { return len(sheet().of[concept]) }
