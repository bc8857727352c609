package overlay

import (
	"fmt"
	"image"
	"image/color"
	"strconv"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
)

// A typeface draws text of one size. The font has the Latin, Greek and Cyrillic scripts.
type typeface struct {
	face   font.Face
	font   *sfnt.Font
	buffer sfnt.Buffer
	size   float64 // pixels
	signal *signal
}

func (t *typeface) init(size float64) (err error) {
	t.size = size
	if t.font, err = goFont(); err != nil {
		return fmt.Errorf("reading the font of labels: %w", err)
	}
	t.face, err = opentype.NewFace(t.font, &opentype.FaceOptions{Size: size, DPI: 72, Hinting: font.HintingFull})
	if err != nil {
		return fmt.Errorf("reading the font of labels: %w", err)
	}
	return nil
}

// colour returns a colour for images of letters.
func (t *typeface) colour(c [3]uint8) color.RGBA {
	c = t.signal.of(c)
	return color.RGBA{c[0], c[1], c[2], 255}
}

func (t *typeface) measure(s string) int { return font.MeasureString(t.face, s).Ceil() }

func (t *typeface) draw(dst *image.RGBA, s string, x, y int, c color.Color) {
	d := font.Drawer{Dst: dst, Src: image.NewUniform(c), Face: t.face, Dot: fixed.P(x, y)}
	d.DrawString(s)
}

// has reports whether the font has a character.
func (t *typeface) has(r rune) bool {
	i, err := t.font.GlyphIndex(&t.buffer, r)
	return err == nil && i != 0
}

// name returns what a layer is called: its label, as far as the font has its characters, and
// the number of the instance.
func (t *typeface) name(l *Layer) string {
	return t.drawable(l.Label, "query "+strconv.Itoa(l.Query+1)) + number(l)
}

// drawable returns a text as far as the font has its characters. A text of which less than
// half can be drawn is replaced, because the rest of a word misleads.
func (t *typeface) drawable(text, instead string) string {
	var b strings.Builder
	drawn, all := 0, 0
	for _, r := range text {
		switch {
		case unicode.Is(unicode.Mn, r) && !t.has(r), r == '\u200d': // marks and joiners of what is left out
		case unicode.IsSpace(r):
			b.WriteByte(' ')
		case t.has(r):
			b.WriteRune(r)
			drawn, all = drawn+1, all+1
		default:
			all++
		}
	}
	if 2*drawn < all || drawn == 0 {
		return instead
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// Drawable returns a text as far as the Go fonts of golang.org/x/image have its characters:
// the Latin, Greek and Cyrillic scripts. A text of which less than half can be drawn is
// replaced by another.
func Drawable(text, instead string) string {
	var t typeface
	var err error
	if t.font, err = goFont(); err != nil {
		return instead
	}
	return t.drawable(text, instead)
}

var goFont = sync.OnceValues(func() (*sfnt.Font, error) { return opentype.Parse(gomedium.TTF) })

func number(l *Layer) string {
	if l.Number == 0 {
		return ""
	}
	return " " + strconv.Itoa(l.Number)
}

// fit returns the name of a layer, shortened to a width with an ellipsis. The number of the
// instance stays.
func (t *typeface) fit(l *Layer, width int) string {
	name, end := t.name(l), number(l)
	if t.measure(name) <= width {
		return name
	}
	runes := []rune(strings.TrimSuffix(name, end))
	for n := len(runes) - 1; n > 0; n-- {
		short := strings.TrimRight(string(runes[:n]), " ") + "…" + end
		if t.measure(short) <= width {
			return short
		}
	}
	return strings.TrimSpace("…" + end)
}
