package stickers

import (
	"errors"
	"fmt"
	"image"
)

// An Album is what is said in words about the truth of a row of pictures; the
// label pictures lie beside it.
type Album struct {
	// About says what a clip is for, Rate how many frames it has a second, and
	// Times when they are, in seconds from the first.
	About string    `json:"about,omitempty"`
	Rate  string    `json:"rate,omitempty"`
	Times []float64 `json:"times,omitempty"`

	// Absent are concepts that are asked for and are in no picture.
	Absent []string     `json:"absent,omitempty"`
	Tracks []AlbumTrack `json:"tracks,omitempty"`
	Events []Event      `json:"events,omitempty"`
	Frames []AlbumFrame `json:"frames"`
}

// An AlbumTrack says what the number of a clip's track shows. Two of a kind have
// two numbers, and one that leaves and comes back on another way has two as well.
type AlbumTrack struct {
	Track   int    `json:"track"`
	Concept string `json:"concept"`
}

// An AlbumFrame is about one picture. Present and Ignored share out what is
// in it.
type AlbumFrame struct {
	Labels  []string `json:"labels"` // label k is Labels[k-1]
	Present []string `json:"present"`
	Ignored []string `json:"ignored,omitempty"`
}

// Add appends a picture.
func (a *Album) Add(t *Truth) {
	a.Frames = append(a.Frames, t.Words())
}

// Words says what is in the picture.
func (t *Truth) Words() AlbumFrame {
	return AlbumFrame{Labels: t.Names, Present: t.Present(), Ignored: t.Ignored}
}

// stripColumns is how many pictures a strip has side by side.
const stripColumns = 10

// Strip puts the label pictures of a clip into one, row after row of ten.
func Strip(truths []*Truth) (*image.Paletted, error) {
	if len(truths) == 0 {
		return nil, errors.New("no pictures for a strip")
	}
	w, h := truths[0].W, truths[0].H
	cols := min(stripColumns, len(truths))
	rows := (len(truths) + cols - 1) / cols
	strip := image.NewPaletted(image.Rect(0, 0, cols*w, rows*h), palette[:len(truths[0].Names)+1])
	for n, t := range truths {
		if t.W != w || t.H != h || len(t.Names) != len(truths[0].Names) {
			return nil, fmt.Errorf("picture %d is not of the same clip", n)
		}
		for y := range h {
			copy(strip.Pix[strip.PixOffset(n%cols*w, n/cols*h+y):], t.Labels[y*w:(y+1)*w])
		}
	}
	return strip, nil
}

// Unstrip takes a strip apart again, w×h a picture, with the words of an album.
func Unstrip(strip *image.Paletted, w, h int, album *Album) ([]*Truth, error) {
	n := len(album.Frames)
	cols := min(stripColumns, n)
	if w <= 0 || h <= 0 || n == 0 || strip.Rect.Dx() != cols*w || strip.Rect.Dy() != (n+cols-1)/cols*h {
		return nil, fmt.Errorf("strip of %v does not hold %d pictures of %dx%d", strip.Rect.Size(), n, w, h)
	}
	truths := make([]*Truth, n)
	for i, f := range album.Frames {
		t := &Truth{W: w, H: h, Names: f.Labels, Ignored: f.Ignored, Labels: make([]uint8, w*h)}
		for y := range h {
			o := strip.PixOffset(strip.Rect.Min.X+i%cols*w, strip.Rect.Min.Y+i/cols*h+y)
			copy(t.Labels[y*w:(y+1)*w], strip.Pix[o:o+w])
		}
		truths[i] = t
	}
	return truths, nil
}
