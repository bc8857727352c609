package video

import (
	"slices"

	"github.com/asticode/go-astiav"
)

// Settings says which of a [Sink]'s settings its encoder heeds. The others make no
// difference to the file.
type Settings struct {
	Encoder  string // FFmpeg's name
	CRF      bool
	Lossless bool
	Preset   bool
}

// SettingsOf finds them for an output of that name; the encoder may be empty, as in a
// Sink. An encoder that this FFmpeg lacks heeds nothing.
func SettingsOf(path, encoder string, info Info) Settings {
	c, err := containerOf(path, info.Still)
	if err != nil {
		return Settings{Encoder: encoder}
	}
	names := c.encoders
	if encoder != "" {
		names = []string{encoder}
	}
	i := slices.IndexFunc(names, func(name string) bool { return astiav.FindEncoderByName(name) != nil })
	if i < 0 {
		return Settings{Encoder: encoder}
	}
	return settingsOf(names[i])
}

// settingsOf looks whether a setting changes what the encoder is told.
func settingsOf(name string) Settings {
	e := &encoder{codec: astiav.FindEncoderByName(name)}
	usual := &Sink{CRF: DefaultCRF}
	changes := func(s *Sink) bool { return !slices.Equal(s.encoderOptions(e), usual.encoderOptions(e)) }
	return Settings{
		Encoder:  name,
		CRF:      changes(&Sink{CRF: 2 * DefaultCRF}),
		Lossless: changes(&Sink{CRF: DefaultCRF, Lossless: true}),
		Preset:   changes(&Sink{CRF: DefaultCRF, Preset: "veryslow"}),
	}
}
