package main

import (
	"fmt"
	"log/slog"

	"github.com/carve-video/carve/video"
)

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
