package stickers

import (
	"bytes"
	"encoding/json"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"regexp"
)

// A Folder writes images and their truth as files, laid out like the DAVIS data sets,
// with lossless PNGs:
//
//	frames/00000.png       the image
//	annotations/00000.png  indexed: which concept each pixel shows
//	tracks/00000.png       indexed: which of a clip's tracks it shows
//	truth.json             an [Album]
type Folder struct {
	Dir string

	// Pictures tells whether images are written, or only their truth.
	Pictures bool

	frames []AlbumFrame
}

// Pictures are the names of the image folders of a [Folder].
var Pictures = []string{"frames", "annotations", "tracks"}

var pictureName = regexp.MustCompile(`^\d{5,}\.png$`)

// IsPicture tells whether an image of a [Folder] may have this name.
func IsPicture(name string) bool { return pictureName.MatchString(name) }

// Add writes an image.
func (f *Folder) Add(img image.Image, truth *Truth) error {
	name := fmt.Sprintf("%05d.png", len(f.frames))
	f.frames = append(f.frames, truth.Words())
	if f.Pictures {
		if err := WritePNG(filepath.Join(f.Dir, "frames", name), img); err != nil {
			return err
		}
	}
	if truth.Tracks != nil {
		if err := WritePNG(filepath.Join(f.Dir, "tracks", name), truth.TrackPicture()); err != nil {
			return err
		}
	}
	return WritePNG(filepath.Join(f.Dir, "annotations", name), truth.Picture())
}

// Frames returns the descriptions of the images so far.
func (f *Folder) Frames() []AlbumFrame { return f.frames }

// Finish writes the album.
func (f *Folder) Finish(a *Album) error { return a.Write(filepath.Join(f.Dir, "truth.json")) }

// Write writes the album to a file.
func (a *Album) Write(path string) error {
	b, err := json.Marshal(a)
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// WritePNG writes an image, and makes the folders of its path.
func WritePNG(path string, img image.Image) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		return fmt.Errorf("encoding %s: %w", path, err)
	}
	return os.WriteFile(path, b.Bytes(), 0o644)
}
