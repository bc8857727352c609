package overlay

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/carve-video/carve/internal/davis"
	"golang.org/x/image/colornames"
)

// A Palette is a list of colours for queries.
type Palette int

// The palettes.
const (
	// PaletteSafe has colours that people with colour blindness can tell apart.
	PaletteSafe Palette = iota
	// PaletteDAVIS has the colours of the data sets PASCAL VOC and DAVIS, without the
	// background's: those of indexed masks.
	PaletteDAVIS
)

var paletteNames = []string{"safe", "davis"}

// String returns the name of the palette.
func (p Palette) String() string { return paletteNames[p] }

// UnmarshalText parses the name of a palette.
func (p *Palette) UnmarshalText(text []byte) error {
	i := slices.Index(paletteNames, string(text))
	if i < 0 {
		return fmt.Errorf("there is no palette %q", text)
	}
	*p = Palette(i)
	return nil
}

// Colour returns the i-th colour, from 0.
func (p Palette) Colour(i int) [3]uint8 {
	if p != PaletteDAVIS {
		return Colour(i)
	}
	const numbers = 254 // 0 is the background, 255 unknown
	r, g, b, _ := davisColours[1+i%numbers].RGBA()
	return [3]uint8{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8)}
}

var davisColours = davis.Palette()

// palette begins with the seven colours of Okabe and Ito ("Color Universal Design",
// 2008) that are neither black nor grey. People with any of the common kinds of colour
// blindness can tell them apart. Lighter and darker colours of the same hues follow,
// which differ in lightness.
var palette = [][3]uint8{
	{230, 159, 0}, {86, 180, 233}, {0, 158, 115}, {240, 228, 66}, {0, 114, 178}, {213, 94, 0}, {204, 121, 167},
	{255, 204, 102}, {172, 222, 250}, {110, 220, 184}, {152, 143, 20}, {96, 164, 255}, {255, 158, 92}, {240, 186, 216},
	{140, 96, 0}, {30, 92, 130}, {0, 92, 66}, {128, 54, 0}, {128, 64, 102},
}

// Colour returns the i-th colour for queries. People with colour blindness can tell the
// colours apart. The same i gives the same colour in every run.
func Colour(i int) [3]uint8 { return palette[i%len(palette)] }

// ParseColour parses #rgb, #rrggbb or a CSS colour name.
func ParseColour(s string) ([3]uint8, error) {
	name := strings.ToLower(strings.TrimSpace(s))
	if c, ok := colornames.Map[name]; ok {
		return [3]uint8{c.R, c.G, c.B}, nil
	}
	hex, ok := strings.CutPrefix(name, "#")
	if ok && len(hex) == 3 {
		hex = string([]byte{hex[0], hex[0], hex[1], hex[1], hex[2], hex[2]})
	}
	v, err := strconv.ParseUint(hex, 16, 32)
	if !ok || len(hex) != 6 || err != nil {
		return [3]uint8{}, fmt.Errorf("%q is no colour", s)
	}
	return [3]uint8{uint8(v >> 16), uint8(v >> 8), uint8(v)}, nil
}

// edging returns the colour of the edging around a line of colour c, so that the line
// can be seen on any footage: black, or white around dark lines.
func edging(c [3]uint8) [3]uint8 {
	const dark = 80
	if luma := (299*int(c[0]) + 587*int(c[1]) + 114*int(c[2])) / 1000; luma < dark {
		return [3]uint8{255, 255, 255}
	}
	return [3]uint8{}
}
