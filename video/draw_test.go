package video

import (
	"testing"

	"github.com/asticode/go-astiav"
)

// TestOverlayFormat: the painter gets the colour description of the frames. Where the
// matrix is not known it takes the one that the image for the model is made with.
func TestOverlayFormat(t *testing.T) {
	const unknown = int(astiav.ColorSpaceUnspecified)
	for _, c := range []struct {
		info   Info
		matrix string
	}{
		{Info{Width: 1280, Height: 534, ColourMatrix: "unknown"}, "bt709"},
		{Info{Width: 960, Height: 720, ColourMatrix: "unknown"}, "bt709"},
		{Info{Width: 720, Height: 576, ColourMatrix: "unknown"}, "unknown"}, // BT.601
	} {
		c.info.format, c.info.colour.matrix = astiav.PixelFormatYuv420P, unknown
		equal(t, "matrix", c.info.OverlayFormat().Matrix, c.matrix)
	}
	f := Info{Width: 64, Height: 48, format: astiav.PixelFormatYuv420P10Le, ColourMatrix: "bt2020nc", ColourCurve: "smpte2084", ColourPrimaries: "bt2020",
		colour: colour{matrix: 9}}.OverlayFormat()
	equal(t, "colours", f.Matrix+" "+f.Transfer+" "+f.Primaries, "bt2020nc smpte2084 bt2020")
}
