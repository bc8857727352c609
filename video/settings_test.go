package video

import (
	"testing"

	"github.com/asticode/go-astiav"
)

func TestSettingsOf(t *testing.T) {
	for encoder, want := range map[string]Settings{
		"libx264":    {CRF: true, Lossless: true, Preset: true},
		"libx265":    {CRF: true, Lossless: true, Preset: true},
		"libvpx-vp9": {CRF: true, Lossless: true},
		"libvpx":     {CRF: true},
		"libsvtav1":  {CRF: true, Preset: true},
		"libaom-av1": {CRF: true, Lossless: true, Preset: true},
		"mpeg4":      {CRF: true},
		"png":        {},
		"mjpeg":      {},
		"prores_ks":  {},
		"ffv1":       {},
	} {
		if astiav.FindEncoderByName(encoder) == nil {
			continue // not every FFmpeg has an AV1 encoder
		}
		want.Encoder = encoder
		if got := settingsOf(encoder); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	if got, want := SettingsOf("out.png", "", "", Info{Still: true}), (Settings{Encoder: "png"}); got != want {
		t.Errorf("of an image: %+v, want %+v", got, want)
	}
	if got := SettingsOf("out.mkv", "", "ffv1", Info{}); got.Encoder != "ffv1" || got.CRF {
		t.Errorf("of a named encoder: %+v", got)
	}
	if got, want := SettingsOf("out.xyz", "", "", Info{}), (Settings{}); got != want {
		t.Errorf("of no known file: %+v", got)
	}
}
