// Package democlip is the demo clip: five seconds of stickers that the demo model
// knows, with sound, and the truth of every frame.
//
// A dog hops in place; a car drives by in front of it, leaves the image on one side and
// comes back on the other; a balloon rises and disappears; a butterfly crosses. Pizza
// is a query too and is never there.
//
// script.yaml describes the clip. cmd/stickerworld draws it:
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

// Clip is the demo clip as an MP4 file: H.264 640×360 at 24 frames a second, 120
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

// Present are the concepts in the clip. Absent is a query but never there. Queries are
// both, in the order of their colours, which is chosen so that the colours differ from
// the stickers' own.
var (
	Present = []string{"car", "dog", "butterfly", "balloon"}
	Absent  = []string{"pizza"}
	Queries = append(append([]string(nil), Present...), Absent...)
)

// Script returns the script of the clip, from which frames can be drawn without the
// losses of a codec.
func Script() (*stickers.Clip, error) {
	return stickers.ReadClip(bytes.NewReader(script))
}

// Truth returns the truth of every frame.
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
