package main

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/video"
)

// checkEncoderPreset refuses presets that an encoder of H.264 or H.265 does not know. The
// library would print lines of its own about them.
func (o *output) checkEncoderPreset(info video.Info) error {
	preset := o.encoding().EncoderPreset
	s := video.SettingsOf(o.Path, o.format(), o.encoding().Encoder, info)
	known := video.Presets()
	if s.Encoder != "libx264" && s.Encoder != "libx265" || slices.Contains(known, preset) {
		return nil
	}
	return ui.WithHint(ui.Usagef("--encoder-preset is %q, and %s has %s", preset, s.Encoder, strings.Join(known, ", ")),
		ui.DidYouMean(preset, known, ""))
}

// A flaggedOutput is the keys of an output of which the encoder flags are the defaults.
type flaggedOutput interface{ encoderFlags() *encoderKeys }

func (o *output) flagged() bool {
	_, ok := o.keys.(flaggedOutput)
	return ok
}

// warnUnused warns about encoder flags that have no effect.
func (o *segmentOptions) warnUnused(out *output, log *slog.Logger, info video.Info) {
	if !out.flagged() && slices.ContainsFunc(o.encoded(), (*output).flagged) {
		return // the flags are for those
	}
	if o.given("encoder") && !out.flagged() {
		log.Warn("--encoder does not apply to " + out.Path + ", whose key codec chooses the encoder, and is ignored")
	}
	s := video.SettingsOf(out.Path, out.format(), out.encoding().Encoder, info)
	switch {
	case o.given("crf") && !s.CRF:
		log.Warn(fmt.Sprintf("--crf does not apply to the encoder %s and is ignored", s.Encoder))
	case o.given("crf") && o.crf == 0 && !s.Lossless:
		log.Warn(fmt.Sprintf("--crf 0: the encoder %s cannot encode losslessly; it uses its default quality", s.Encoder))
	}
	if o.given("encoder") && video.Bare(out.format()) {
		log.Warn("--encoder does not apply to " + out.format() + ", whose frames are not compressed, and is ignored")
	}
	if o.given("encoder-preset") && !s.Preset {
		log.Warn(fmt.Sprintf("--encoder-preset does not apply to the encoder %s and is ignored", s.Encoder))
	}
}
