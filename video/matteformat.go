package video

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/asticode/go-astiav"
)

// MatteOptions say how a matte is encoded. The zero value is the default of each
// container: ProRes 4444 in .mov, VP9 in .webm, FFV1 in .mkv, H.264 in .mp4.
type MatteOptions struct {
	// Codec is a name from [MatteCodecs]; empty means the container's default. The frames
	// of prores, vp9, qtrle and png are the source's pixels, and the mask is their alpha.
	// Those of ffv1 and h264 are the mask alone, in grey.
	Codec string
	// Bits is the depth of a sample; 0 means the codec's default.
	Bits int
	// Alpha is "straight" or "premultiplied"; empty means straight. Straight keeps the
	// source's pixels everywhere, also where alpha is 0. Premultiplied ones are multiplied
	// by alpha, so that they are black there.
	Alpha string
	// Profile is that of ProRes, "4444" or "4444xq"; empty means 4444.
	Profile string
}

// The values of [MatteOptions.Alpha].
const (
	Straight      = "straight"
	Premultiplied = "premultiplied"
)

// A MatteFormat is what [MatteOptions] mean for an output.
type MatteFormat struct {
	// Encoder and Options are for the [Sink].
	Encoder string
	Options map[string]string
	// Pixels is FFmpeg's name of the pixel format.
	Pixels string
	// Premultiplied says that pixels are multiplied by alpha.
	Premultiplied bool
}

// A matteCodec is a codec of mattes.
type matteCodec struct {
	name, encoder string
	extensions    []string
	pixels        []mattePixels // the default first
	modes         []string      // of alpha; none for a grey codec
	options       map[string]string
}

// mattePixels is a pixel format by its depth.
type mattePixels struct {
	bits   int
	format string
}

// matteCodecs lists the codecs, those that are a container's default first.
//
// PNG is straight by its standard, and all players take the alpha of VP9 for straight,
// which neither codec nor container can say. Both would be shown wrongly otherwise.
var matteCodecs = []matteCodec{
	// The flattest matrix and the most bits that the encoder has: its defaults let it use
	// coarser steps in busy frames. The alpha is lossless.
	{"prores", "prores_ks", []string{".mov", ".mkv"}, []mattePixels{{10, "yuva444p10le"}, {12, "yuva444p12le"}}, []string{Straight, Premultiplied},
		map[string]string{"profile": "4444", "alpha_bits": "16", "quant_mat": "default", "bits_per_mb": "8192"}},
	{"vp9", "libvpx-vp9", []string{".webm", ".mkv"}, []mattePixels{{8, "yuva420p"}}, []string{Straight}, nil},
	{"ffv1", "ffv1", []string{".mkv"}, []mattePixels{{8, "gray"}, {16, "gray16le"}}, nil,
		map[string]string{"level": "3", "g": "1", "slicecrc": "1"}}, // each frame stands alone, with a checksum
	{"h264", "libx264", []string{".mp4", ".m4v", ".mov", ".mkv"}, []mattePixels{{8, "yuv420p"}}, nil, nil},
	{"png", "png", []string{".png", ".mov"}, []mattePixels{{8, "rgba"}, {16, "rgba64be"}}, []string{Straight}, nil},
	{"qtrle", "qtrle", []string{".mov"}, []mattePixels{{8, "argb"}}, []string{Straight, Premultiplied}, nil},
}

// MatteCodecs lists the names of the codecs of mattes.
func MatteCodecs() (names []string) {
	for _, c := range matteCodecs {
		names = append(names, c.name)
	}
	return names
}

// Format returns what the options mean for an output of that name, or what is wrong with
// them.
func (o MatteOptions) Format(path string) (MatteFormat, error) {
	c, err := o.codec(path)
	if err != nil {
		return MatteFormat{}, err
	}
	pixels, err := o.pixels(c)
	if err != nil {
		return MatteFormat{}, err
	}
	f := MatteFormat{Encoder: c.encoder, Options: maps.Clone(c.options), Pixels: pixels, Premultiplied: o.Alpha == Premultiplied}
	switch {
	case o.Alpha != "" && len(c.modes) == 0:
		return f, fmt.Errorf("alpha is %q, and %s holds the mask alone, in grey", o.Alpha, c.name)
	case o.Alpha != "" && o.Alpha != Straight && o.Alpha != Premultiplied:
		return f, fmt.Errorf("alpha is %q; it is %s or %s", o.Alpha, Straight, Premultiplied)
	case o.Alpha != "" && !slices.Contains(c.modes, o.Alpha):
		return f, fmt.Errorf("alpha is %q, and players take that of %s for %s", o.Alpha, c.name, c.modes[0])
	}
	switch o.Profile {
	case "":
	case "4444", "4444xq":
		if c.name != "prores" {
			return f, fmt.Errorf("profile is %q, and %s has none", o.Profile, c.name)
		}
		f.Options["profile"] = o.Profile
	default:
		return f, fmt.Errorf("profile is %q; it is 4444 or 4444xq", o.Profile)
	}
	return f, nil
}

// codec finds the codec.
func (o MatteOptions) codec(path string) (*matteCodec, error) {
	ext := strings.ToLower(filepath.Ext(path))
	fits := func(c matteCodec) bool { return slices.Contains(c.extensions, ext) }
	if o.Codec == "" {
		// Among the codecs of a container the default is the one that names it first.
		for i, c := range matteCodecs {
			if c.extensions[0] == ext {
				return &matteCodecs[i], nil
			}
		}
		if i := slices.IndexFunc(matteCodecs, fits); i >= 0 {
			return &matteCodecs[i], nil
		}
		return nil, fmt.Errorf("%s: a matte is .mov, .webm, .mkv or .mp4; that of an image is .png", path)
	}
	i := slices.IndexFunc(matteCodecs, func(c matteCodec) bool { return c.name == o.Codec })
	if i < 0 {
		return nil, fmt.Errorf("codec is %q; it is one of %s", o.Codec, strings.Join(MatteCodecs(), ", "))
	}
	if c := &matteCodecs[i]; !fits(*c) {
		return nil, fmt.Errorf("%s: a matte of the codec %s is %s", path, c.name, strings.Join(c.extensions, " or "))
	}
	return &matteCodecs[i], nil
}

// pixels finds the pixel format.
func (o MatteOptions) pixels(c *matteCodec) (string, error) {
	var has []string
	takes := []astiav.PixelFormat(nil)
	if e := astiav.FindEncoderByName(c.encoder); e != nil {
		takes = encoderFormats(e)
	}
	for _, p := range c.pixels {
		if len(takes) > 0 && !slices.Contains(takes, astiav.FindPixelFormatByName(p.format)) {
			continue // an encoder that is missing is reported by CheckOutput
		}
		if o.Bits == 0 || o.Bits == p.bits {
			return p.format, nil
		}
		has = append(has, strconv.Itoa(p.bits))
	}
	return "", fmt.Errorf("bits is %d; the encoder %s of this FFmpeg has %s", o.Bits, c.encoder, strings.Join(has, " or "))
}
