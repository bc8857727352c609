package main

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/video"
)

// checkEncoderPreset refuses words that an encoder of H.264 or H.265 does not know: what
// the library says of them comes with lines of its own.
func (o *segmentOptions) checkEncoderPreset(info video.Info) error {
	s := video.SettingsOf(o.output, o.encoder, info)
	known := video.Presets()
	if s.Encoder != "libx264" && s.Encoder != "libx265" || slices.Contains(known, o.encoderPreset) {
		return nil
	}
	return ui.WithHint(ui.Usagef("--encoder-preset is %q, and %s has %s", o.encoderPreset, s.Encoder, strings.Join(known, ", ")),
		ui.DidYouMean(o.encoderPreset, known, ""))
}

// warnIdle names the encoder's settings that were given and make no difference.
func (o *segmentOptions) warnIdle(log *slog.Logger, info video.Info) {
	s := video.SettingsOf(o.output, o.encoder, info)
	switch {
	case o.given("crf") && !s.CRF:
		log.Warn(fmt.Sprintf("--crf does not apply to the encoder %s: it is left out", s.Encoder))
	case o.given("crf") && o.crf == 0 && !s.Lossless:
		log.Warn(fmt.Sprintf("--crf 0: the encoder %s cannot do without loss; it has its usual quality", s.Encoder))
	}
	if o.given("encoder-preset") && !s.Preset {
		log.Warn(fmt.Sprintf("--encoder-preset does not apply to the encoder %s: it is left out", s.Encoder))
	}
}
