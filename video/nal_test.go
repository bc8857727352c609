package video

import (
	"testing"

	"github.com/asticode/go-astiav"
)

func TestResetsDecoder(t *testing.T) {
	h264, hevc := astiav.CodecIDH264, astiav.CodecIDHevc
	sizes4 := []byte{1, 0, 0, 0, 0xff}
	sizes2 := append(append([]byte{1}, make([]byte, 20)...), 0xfd)
	for name, c := range map[string]struct {
		codec             astiav.CodecID
		extradata, packet []byte
		want              bool
	}{
		"another codec":         {astiav.CodecIDMpeg2Video, nil, []byte{0, 0, 1, 0x41}, true},
		"nothing":               {h264, nil, nil, true},
		"idr behind parameters": {h264, nil, []byte{0, 0, 0, 1, 0x67, 9, 0, 0, 1, 0x65, 8}, true},
		"picture with recovery": {h264, nil, []byte{0, 0, 1, 6, 9, 0, 0, 0, 1, 0x41, 8}, false},
		"idr with sizes":        {h264, sizes4, []byte{0, 0, 0, 2, 6, 0x41, 0, 0, 0, 1, 0x65}, true},
		"picture with sizes":    {h264, sizes4, []byte{0, 0, 0, 0, 0, 0, 0, 1, 0x41}, false},
		"size beyond the end":   {h264, sizes4, []byte{0xff, 0xff, 0xff, 0xff, 6}, true},
		"cra":                   {hevc, nil, []byte{0, 0, 1, 32 << 1, 1, 0, 0, 1, 21 << 1, 1}, false},
		"hevc idr":              {hevc, nil, []byte{0, 0, 1, 32 << 1, 1, 0, 0, 1, 19 << 1, 1}, true},
		"hevc idr with sizes":   {hevc, sizes2, []byte{0, 1, 34 << 1, 0, 1, 20 << 1}, true},
	} {
		if got := resetsDecoder(c.codec, c.extradata, c.packet); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// FuzzResetsDecoder looks for packets that hang or crash.
func FuzzResetsDecoder(f *testing.F) {
	f.Add([]byte{1, 0, 0, 0, 0xff}, []byte{0, 0, 0, 1, 0x65})
	f.Add([]byte{}, []byte{0, 0, 1, 0x65, 0, 0, 1})
	f.Fuzz(func(t *testing.T, extradata, packet []byte) {
		resetsDecoder(astiav.CodecIDH264, extradata, packet)
		resetsDecoder(astiav.CodecIDHevc, extradata, packet)
	})
}
