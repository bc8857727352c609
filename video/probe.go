package video

//#cgo pkg-config: libavcodec libavfilter libavformat libavutil libswscale
//#include <libavcodec/avcodec.h>
//#include <libavfilter/avfilter.h>
//#include <libavformat/avformat.h>
//#include <libavutil/hwcontext.h>
//#include <libswscale/swscale.h>
//#include <stdlib.h>
import "C"

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unsafe"

	"github.com/asticode/go-astiav"
)

// An FFmpeg may lack what it lists: an encoder whose library was built without a part,
// a device without a driver. So the functions of this file try everything.

// ErrNotBuilt says that this FFmpeg was built without something.
var ErrNotBuilt = errors.New("this FFmpeg was built without it")

// A Library is a library of FFmpeg.
type Library struct {
	Name    string
	Version string // of the loaded library
	Built   string // of the headers that carve was compiled with
	// Fits says that the loaded library is compatible with those headers: it has the
	// same major version and is not older.
	Fits bool
}

// Libraries lists the FFmpeg libraries that this package calls.
func Libraries() []Library {
	var list []Library
	for _, l := range []struct {
		name          string
		loaded, built C.uint
	}{
		{"libavcodec", C.avcodec_version(), C.LIBAVCODEC_VERSION_INT},
		{"libavfilter", C.avfilter_version(), C.LIBAVFILTER_VERSION_INT},
		{"libavformat", C.avformat_version(), C.LIBAVFORMAT_VERSION_INT},
		{"libavutil", C.avutil_version(), C.LIBAVUTIL_VERSION_INT},
		{"libswscale", C.swscale_version(), C.LIBSWSCALE_VERSION_INT},
	} {
		loaded, built := uint(l.loaded), uint(l.built)
		list = append(list, Library{Name: l.name, Version: libraryVersion(loaded), Built: libraryVersion(built), Fits: fits(loaded, built)})
	}
	return list
}

// fits compares versions as FFmpeg packs them, major << 16 | minor << 8 | micro. The
// micro version does not affect the interface.
func fits(loaded, built uint) bool {
	return loaded>>16 == built>>16 && loaded>>8 >= built>>8
}

func libraryVersion(v uint) string { return fmt.Sprintf("%d.%d.%d", v>>16, v>>8&255, v&255) }

// A ContainerInfo describes how outputs with some extensions are written.
type ContainerInfo struct {
	Extensions []string
	Muxer      string   // FFmpeg's name; empty for images
	Encoders   []string // FFmpeg's names, the default first
}

// Containers lists the kinds of output, one entry for all extensions that are written
// alike.
func Containers() []ContainerInfo {
	var list []ContainerInfo
	for _, ext := range slices.Sorted(maps.Keys(containers)) {
		c := containers[ext]
		i := slices.IndexFunc(list, func(l ContainerInfo) bool {
			return l.Muxer == c.muxer && slices.Equal(l.Encoders, c.encoders)
		})
		if i < 0 {
			i = len(list)
			list = append(list, ContainerInfo{Muxer: c.muxer, Encoders: slices.Clone(c.encoders)})
		}
		list[i].Extensions = append(list[i].Extensions, ext)
	}
	// Videos first, by muxer; then images, by encoder.
	slices.SortStableFunc(list, func(a, b ContainerInfo) int {
		if (a.Muxer == "") != (b.Muxer == "") {
			return -cmp.Compare(a.Muxer, b.Muxer)
		}
		return cmp.Or(cmp.Compare(a.Muxer, b.Muxer), slices.Compare(a.Encoders, b.Encoders))
	})
	return list
}

// ProbeMuxer checks that FFmpeg has a muxer.
func ProbeMuxer(name string) error {
	if astiav.FindOutputFormat(name) == nil {
		return ErrNotBuilt
	}
	return nil
}

// probeWidth and probeHeight are the size of the test frame: NVIDIA's encoders accept
// no frame smaller than 145 × 49.
const probeWidth, probeHeight = 160, 96

// ProbeEncoder opens a video encoder and encodes one black frame from memory, as [Sink]
// does. Encoders that only accept frames in the memory of a device therefore fail.
func ProbeEncoder(name string) error {
	codec := astiav.FindEncoderByName(name)
	if codec == nil || codec.ID().MediaType() != astiav.MediaTypeVideo {
		return ErrNotBuilt
	}
	format := astiav.FindPixelFormatByName("yuv420p")
	if list := encoderFormats(codec); len(list) > 0 && !slices.Contains(list, format) {
		i := slices.IndexFunc(list, func(f astiav.PixelFormat) bool { l, ok := describe(f); return ok && !l.hardware })
		if i < 0 {
			return errors.New("it takes no frames from memory, only from a device")
		}
		format = list[i]
	}
	if err := silence(name); err != nil {
		return err
	}
	lines, err := watchErrors(func() error { return encodeOne(codec, format) })
	if err != nil {
		return errors.New(detail(lines, err))
	}
	return nil
}

// encodeOne encodes a black frame and flushes the encoder.
func encodeOne(codec *astiav.Codec, format astiav.PixelFormat) error {
	cc := astiav.AllocCodecContext(codec)
	if cc == nil {
		return errOutOfMemory
	}
	defer cc.Free()
	cc.SetWidth(probeWidth)
	cc.SetHeight(probeHeight)
	cc.SetPixelFormat(format)
	cc.SetTimeBase(astiav.NewRational(1, 25))
	cc.SetFramerate(astiav.NewRational(25, 1))
	cc.SetThreadCount(1)
	cc.SetStrictStdCompliance(astiav.StrictStdComplianceExperimental)
	options := astiav.NewDictionary()
	defer options.Free()
	if codec.Name() == "libx265" { // it prints on stderr by itself unless told otherwise
		if err := options.Set("x265-params", "log-level=none", astiav.NewDictionaryFlags()); err != nil {
			return err
		}
	}
	if err := cc.Open(codec, options); err != nil {
		return err
	}
	f, pkt := astiav.AllocFrame(), astiav.AllocPacket()
	if f == nil || pkt == nil {
		return errOutOfMemory
	}
	defer f.Free()
	defer pkt.Free()
	f.SetWidth(probeWidth)
	f.SetHeight(probeHeight)
	f.SetPixelFormat(format)
	if err := f.AllocBuffer(0); err != nil {
		return err
	}
	if err := f.ImageFillBlack(); err != nil {
		return err
	}
	for _, in := range []*astiav.Frame{f, nil} {
		if err := cc.SendFrame(in); err != nil {
			return err
		}
	}
	// It is also an error if the stream ends without a packet.
	return cc.ReceivePacket(pkt)
}

// ProbeDecoder opens the decoder that FFmpeg chooses for a codec, and returns its name.
func ProbeDecoder(codec string) (decoder string, err error) {
	name := C.CString(codec)
	defer C.free(unsafe.Pointer(name))
	d := C.avcodec_descriptor_get_by_name(name)
	if d == nil {
		return "", fmt.Errorf("FFmpeg knows no codec %q", codec)
	}
	c := astiav.FindDecoder(astiav.CodecID(d.id))
	if c == nil {
		return "", ErrNotBuilt
	}
	// FFmpeg's own AV1 decoder only feeds hardware decoders.
	if c.Name() == "av1" {
		return "", fmt.Errorf("%w: only its decoder for hardware is there", ErrNotBuilt)
	}
	lines, err := watchErrors(func() error {
		cc := astiav.AllocCodecContext(c)
		if cc == nil {
			return errOutOfMemory
		}
		defer cc.Free()
		cc.SetThreadCount(1)
		err := cc.Open(c, nil)
		// Some decoders need the header of a stream, which is missing here. To notice
		// that they have to run.
		if errors.Is(err, astiav.ErrInvaliddata) {
			return nil
		}
		return err
	})
	if err != nil {
		return c.Name(), errors.New(detail(lines, err))
	}
	return c.Name(), nil
}

// ProbeFilters sets up each filter that this package may need, for a small frame, and
// returns the errors of those that fail.
func ProbeFilters() map[string]error {
	bad := map[string]error{}
	for _, chain := range []string{
		"scale=32:32:flags=bicubic+accurate_rnd+full_chroma_int", "format=rgb24", "pad=66:66:0:0",
		"fillborders=right=2:bottom=2:mode=smear", "transpose=cclock_flip", "hflip", "vflip",
	} {
		name, _, _ := strings.Cut(chain, "=")
		if astiav.FindFilterByName(name) == nil {
			bad[name] = ErrNotBuilt
			continue
		}
		var g graph
		lines, err := watchErrors(func() error {
			return g.fit(shape{w: 64, h: 64, format: astiav.FindPixelFormatByName("yuv420p")}, chain)
		})
		g.close()
		if err != nil {
			bad[name] = errors.New(detail(lines, err))
		}
	}
	return bad
}

// A HardwareProbe says whether a kind of decoding device can be used.
type HardwareProbe struct {
	Name string // FFmpeg's name, such as "vaapi"
	Err  error  // nil if it can be used
}

// ProbeHardware opens a device of every kind that this FFmpeg supports.
func ProbeHardware() []HardwareProbe {
	var list []HardwareProbe
	for t := C.av_hwdevice_iterate_types(C.AV_HWDEVICE_TYPE_NONE); t != C.AV_HWDEVICE_TYPE_NONE; t = C.av_hwdevice_iterate_types(t) {
		kind := astiav.HardwareDeviceType(t)
		p := HardwareProbe{Name: kind.Name()}
		lines, err := watchErrors(func() error {
			device, err := astiav.CreateHardwareDeviceContext(kind, "", nil, 0)
			if err == nil {
				device.Free()
			}
			return err
		})
		if err != nil {
			p.Err = errors.New(detail(lines, err))
		}
		list = append(list, p)
	}
	return list
}
