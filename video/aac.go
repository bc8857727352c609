package video

import (
	"encoding/binary"
	"slices"

	"github.com/asticode/go-astiav"
)

// describeAAC gives a copied stream of AAC the description that Matroska has in its header.
// In a transport stream each packet describes itself. FFmpeg adds the description to the
// header later, which a pipe does not allow.
func (s *Sink) describeAAC(out *astiav.Stream) error {
	p := out.CodecParameters()
	if p.CodecID() != astiav.CodecIDAac || len(p.ExtraData()) > 0 || !s.file.InPlace() {
		return nil
	}
	if d := aacDescription(p.Profile(), p.SampleRate(), p.ChannelLayout().Channels()); d != nil {
		return p.SetExtraData(d)
	}
	return nil // the muxer reports what is missing
}

// aacRates are the sampling rates by their index in ISO/IEC 14496-3.
var aacRates = []int{96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350}

// aacDescription makes the AudioSpecificConfig of ISO/IEC 14496-3 that stands for the
// headers of packets (ADTS). These describe the core of HE-AAC, which has half of the rate
// and, in its second version, one channel; a decoder finds the rest in the packets. The
// result is nil for what such headers do not describe.
func aacDescription(profile astiav.Profile, rate, channels int) []byte {
	object := uint16(2) // AAC-LC
	switch profile {
	case astiav.ProfileAacMain, astiav.ProfileAacLow, astiav.ProfileAacSsr, astiav.ProfileAacLtp:
		object = uint16(profile) + 1
	case astiav.ProfileAacHe:
		rate /= 2
	case astiav.ProfileAacHeV2:
		rate, channels = rate/2, 1
	default:
		return nil
	}
	index := slices.Index(aacRates, rate)
	if channels == 8 {
		channels = 7 // the layout 7.1
	} else if channels > 6 {
		return nil
	}
	if index < 0 || channels < 1 {
		return nil
	}
	return binary.BigEndian.AppendUint16(nil, object<<11|uint16(index)<<7|uint16(channels)<<3)
}
