// Package democlip is the demo clip: five seconds in the world of the demo
// model, with sound, and the truth about every frame.
//
// A dog hops in place; a car drives by in front of it, leaves the picture on
// one side and comes back on the other; a balloon rises and is gone; a
// butterfly crosses. Pizza is asked for as well and is never there.
//
// script.yaml describes it, and cmd/stickerworld draws it from that:
//
//	cd internal/democlip && ../../scripts/env.sh go generate
//
// The emoji in it are of Noto Color Emoji; see internal/stickers.
package democlip

import (
	"bytes"
	_ "embed" // the clip and its truth
	"encoding/json"
	"fmt"
	"image"
	"image/png"

	"github.com/carve-video/carve/internal/stickers"
	"github.com/carve-video/carve/internal/strictyaml"
)

//go:generate go run ../../cmd/stickerworld clip --script script.yaml --strip truth.png -o clip.mp4

// Clip is the clip as an MP4 file: H.264 640×360 at 24 frames a second, 120
// frames, and AAC.
//
//go:embed clip.mp4
var Clip []byte

//go:embed script.yaml
var script []byte

//go:embed truth.png
var truthPNG []byte

//go:embed truth.json
var truthJSON []byte

// Present are the concepts that are in the clip, and Absent is asked for but
// never there. Queries are both; they get their colours in this order, which is
// the one that sets them off from the stickers' own.
var (
	Present = []string{"car", "dog", "butterfly", "balloon"}
	Absent  = []string{"pizza"}
	Queries = append(append([]string(nil), Present...), Absent...)
)

// Script is the description that the clip was drawn from, ready to draw frames
// without the losses of a codec.
func Script() (*stickers.Clip, error) {
	return stickers.ReadClip(bytes.NewReader(script))
}

// Truth is what is really to be seen, frame by frame.
func Truth() ([]*stickers.Truth, error) {
	var size struct{ Width, Height int }
	if err := strictyaml.DecodeSome(script, &size); err != nil {
		return nil, fmt.Errorf("reading the demo clip's script: %w", err)
	}
	var album stickers.Album
	if err := json.Unmarshal(truthJSON, &album); err != nil {
		return nil, fmt.Errorf("reading the demo clip's truth: %w", err)
	}
	img, err := png.Decode(bytes.NewReader(truthPNG))
	if err != nil {
		return nil, fmt.Errorf("reading the demo clip's truth: %w", err)
	}
	strip, ok := img.(*image.Paletted)
	if !ok {
		return nil, fmt.Errorf("the demo clip's truth is %T, not an indexed picture", img)
	}
	return stickers.Unstrip(strip, size.Width, size.Height, &album)
}
