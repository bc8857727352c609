package stickers

import (
	"image"
	"slices"

	"github.com/carve-video/carve/internal/davis"
)

// A Truth says which concept every pixel of an image shows.
type Truth struct {
	W, H int

	// Names are the concepts by label: label k is Names[k-1], label 0 is none of them.
	// In a clip they are the same for all frames.
	Names []string

	// Labels has one label a pixel, row by row: the concept whose stickers together
	// cover more than half of it. Ignored concepts are included.
	Labels []uint8

	// Tracks has one number a pixel: the clip's track, from 1, that covers more than
	// half of it. It is nil for a scene. Two instances of a concept have one label and
	// two numbers.
	Tracks []uint8

	// Ignored are the concepts that are in the image, but so small or so well covered
	// that they do not count, found or missed.
	Ignored []string
}

// minPixels is the smallest visible area of a concept that counts as present.
func minPixels(w, h int) float64 { return max(60, .002*float64(w*h)) }

func (s *stack) truth(names []string) *Truth {
	t := &Truth{W: s.w, H: s.h, Names: names, Labels: make([]uint8, s.w*s.h)}
	sum := make([]float32, s.w*s.h)
	for k, name := range names {
		clear(sum)
		drawn := false
		for j, seen := range s.seen {
			if s.names[j] != name {
				continue
			}
			drawn = drawn || s.drawn[j]
			for i, a := range seen {
				sum[i] += a
			}
		}
		n := 0
		for i, a := range sum {
			if a > .5 {
				t.Labels[i] = uint8(k + 1)
				n++
			}
		}
		if drawn && float64(n) < minPixels(s.w, s.h) {
			t.Ignored = append(t.Ignored, name)
		}
	}
	return t
}

// tracks returns the track numbers of the pixels: for each the track, from of, of the
// sticker in the stack that covers more than half of it.
func (s *stack) tracks(of []int) []uint8 {
	t := make([]uint8, s.w*s.h)
	for j, seen := range s.seen {
		for i, a := range seen {
			if a > .5 {
				t[i] = uint8(of[j] + 1)
			}
		}
	}
	return t
}

// Present returns the concepts that are in the image and should be found.
func (t *Truth) Present() []string {
	var has [256]bool
	for _, l := range t.Labels {
		has[l] = true
	}
	var names []string
	for k, name := range t.Names {
		if has[k+1] && !slices.Contains(t.Ignored, name) {
			names = append(names, name)
		}
	}
	return names
}

// Mask returns the mask of the concept, W×H; all false for an unknown name.
func (t *Truth) Mask(name string) []bool {
	m := make([]bool, len(t.Labels))
	if k := slices.Index(t.Names, name); k >= 0 {
		for i, l := range t.Labels {
			m[i] = int(l) == k+1
		}
	}
	return m
}

// Picture returns the truth as an indexed image in the form of video segmentation data
// sets: the palette index is the label.
func (t *Truth) Picture() *image.Paletted {
	return &image.Paletted{Pix: t.Labels, Stride: t.W, Rect: image.Rect(0, 0, t.W, t.H), Palette: palette[:len(t.Names)+1]}
}

// TrackPicture returns the same for tracks.
func (t *Truth) TrackPicture() *image.Paletted {
	return &image.Paletted{Pix: t.Tracks, Stride: t.W, Rect: image.Rect(0, 0, t.W, t.H), Palette: palette}
}

// palette is the palette of labels and tracks.
var palette = davis.Palette()
