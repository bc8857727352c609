package video

import (
	"slices"
	"strconv"
)

// encoderOptions returns the encoder's private options, with those of the caller last.
func (s *Sink) encoderOptions(e *encoder) (kv [][2]string) {
	name := e.codec.Name()
	crf := func(byDefault int) string {
		if s.CRF > 0 {
			return strconv.Itoa(s.CRF)
		}
		return strconv.Itoa(byDefault)
	}
	preset := s.Preset
	if preset == "" {
		preset = "medium"
	}
	switch name {
	case "libx264":
		kv = append(kv, [2]string{"preset", preset})
		if s.Lossless {
			kv = append(kv, [2]string{"qp", "0"})
		} else {
			kv = append(kv, [2]string{"crf", crf(DefaultCRF)})
		}
	case "libx265":
		// x265 prints on stderr by itself unless told otherwise.
		params := "log-level=none"
		if s.Lossless {
			params += ":lossless=1"
		}
		if s.Lookahead > 0 {
			params += ":rc-lookahead=" + strconv.Itoa(s.Lookahead)
		}
		kv = append(kv, [2]string{"preset", preset}, [2]string{"crf", crf(20)}, [2]string{"x265-params", params})
	case "libvpx-vp9":
		kv = append(kv, [2]string{"b", "0"}, [2]string{"row-mt", "1"}, [2]string{"cpu-used", "3"})
		if s.Lossless {
			kv = append(kv, [2]string{"lossless", "1"})
		} else {
			kv = append(kv, [2]string{"crf", crf(24)})
		}
	case "libvpx":
		// VP8 has no quality mode without a bit rate; here the rate is only a ceiling.
		kv = append(kv, [2]string{"b", "20M"}, [2]string{"crf", crf(10)}, [2]string{"cpu-used", "3"})
	case "libsvtav1":
		kv = append(kv, [2]string{"preset", av1Speed(preset, svtSpeeds)}, [2]string{"crf", crf(24)})
	case "libaom-av1":
		kv = append(kv, [2]string{"b", "0"}, [2]string{"row-mt", "1"}, [2]string{"cpu-used", av1Speed(preset, aomSpeeds)})
		if s.Lossless {
			kv = append(kv, [2]string{"aom-params", "lossless=1"})
		} else {
			kv = append(kv, [2]string{"crf", crf(24)})
		}
	case "mpeg4":
		// Quantiser scale 2 to 31, roughly matched to x264's rate factor.
		q := 3
		if s.CRF > 0 {
			q = min(31, max(2, s.CRF/6))
		}
		kv = append(kv, [2]string{"flags", "+qscale"}, [2]string{"global_quality", strconv.Itoa(q * 118)}) // 118: FF_QP2LAMBDA
	case "ffv1":
		// Version 3 cuts a frame into two columns at least unless it is told otherwise, and
		// refuses one without the pixels for that.
		if s.info.Width <= 2 {
			kv = append(kv, [2]string{"slices", "1"})
		}
	case "mjpeg":
		kv = append(kv, [2]string{"flags", "+qscale"}, [2]string{"global_quality", strconv.Itoa(2 * 118)})
	}
	if name == "libx264" || name == "libx265" {
		// A forced key frame has to be one that no earlier frame depends on.
		kv = append(kv, [2]string{"forced-idr", "1"})
	}
	if s.Lookahead > 0 {
		kv = append(kv, lookaheadOptions(name, s.Lookahead)...)
	}
	fields := e.fields && name == "libx264"
	if fields {
		kv = append(kv, [2]string{"x264-params", fieldParams(s.info.topFirst, "")})
	}
	for k, v := range s.Options {
		if k == "x264-params" && fields {
			v = fieldParams(s.info.topFirst, ":"+v)
		}
		kv = append(kv, [2]string{k, v})
	}
	return kv
}

// presets are x264's, from the fastest to the slowest. The AV1 encoders number their
// speeds, which are listed in the same order.
var (
	presets   = []string{"ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow", "placebo"}
	svtSpeeds = []string{"12", "11", "10", "9", "9", "8", "6", "5", "4", "2"}
	aomSpeeds = []string{"8", "8", "8", "7", "7", "6", "4", "3", "2", "1"}
)

// Presets lists the presets of x264 and x265, the fastest first.
func Presets() []string { return slices.Clone(presets) }

// av1Speed translates a preset of x264. Anything else is a value for the encoder
// itself.
func av1Speed(preset string, speeds []string) string {
	if i := slices.Index(presets, preset); i >= 0 {
		return speeds[i]
	}
	return preset
}
