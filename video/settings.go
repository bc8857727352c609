package video

import (
	"slices"

	"github.com/asticode/go-astiav"
)

// Settings says which settings of a [Sink] its encoder supports. The others have no
// effect on the file.
type Settings struct {
	Encoder  string // FFmpeg's name
	CRF      bool
	Lossless bool
	Preset   bool
}

// SettingsOf returns the settings for an output of that name. Format and encoder may be
// empty, as in a Sink. An encoder that this FFmpeg lacks supports none.
func SettingsOf(path, format, encoder string, info Info) Settings {
	c, err := containerOf(path, format, info.Still)
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

// settingsOf checks for each setting whether it changes the encoder's options.
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
