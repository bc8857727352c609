package stickers

import (
	"errors"
	"fmt"
	"image"
)

// An Album describes a sequence of images in words; the label images are stored beside
// it.
type Album struct {
	// About says what a clip is for, Rate is its frame rate, and Times are the times of
	// the frames in seconds from the first.
	About string    `json:"about,omitempty"`
	Rate  string    `json:"rate,omitempty"`
	Times []float64 `json:"times,omitempty"`

	// Absent are queries whose concepts are in no frame.
	Absent []string     `json:"absent,omitempty"`
	Tracks []AlbumTrack `json:"tracks,omitempty"`
	Events []Event      `json:"events,omitempty"`
	Frames []AlbumFrame `json:"frames"`
}

// An AlbumTrack says what a track number of a clip shows. Two instances of a concept
// have two numbers, and so has one that leaves and returns by another path.
type AlbumTrack struct {
	Track   int    `json:"track"`
	Concept string `json:"concept"`
}

// An AlbumFrame describes one image. A concept that is in it is in Present or in
// Ignored.
type AlbumFrame struct {
	Labels  []string `json:"labels"` // label k is Labels[k-1]
	Present []string `json:"present"`
	Ignored []string `json:"ignored,omitempty"`
}

// Add appends an image.
func (a *Album) Add(t *Truth) {
	a.Frames = append(a.Frames, t.Words())
}

// Words returns the description of the image.
func (t *Truth) Words() AlbumFrame {
	return AlbumFrame{Labels: t.Names, Present: t.Present(), Ignored: t.Ignored}
}

// stripColumns is the number of images in a row of a strip.
const stripColumns = 10

// Strip joins the label images of a clip into one image, in rows of ten.
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

// Unstrip takes a strip apart into w×h images, described by the album.
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
