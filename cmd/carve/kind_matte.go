package main

import (
	"slices"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/internal/outputspec"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/video"
)

// matteKeys are the keys of a matte.
type matteKeys struct {
	conceptKeys
	splitKeys
	Codec         string `key:"codec" doc:"prores, vp9, qtrle or png: the source's pixels with alpha; ffv1 or h264: the mask alone, in grey (default: prores in .mov, vp9 in .webm, ffv1 in .mkv, h264 in .mp4)"`
	Bits          int    `key:"bits" doc:"of a sample: 10 of prores, 8 of the others, or 16 of ffv1 and png; 0 is the codec's usual"`
	Alpha         string `key:"alpha" doc:"whether pixels are multiplied by alpha (default straight)" values:"straight|premultiplied"`
	Profile       string `key:"profile" doc:"of prores (default 4444)" values:"4444|4444xq"`
	Audio         bool   `key:"audio" doc:"copy sound and all other streams"`
	CRF           int    `key:"crf" doc:"quality of h264 and vp9, 0 (lossless) to 51"`
	EncoderPreset string `key:"encoder-preset" doc:"speed of h264: ultrafast to veryslow"`
	shapingKeys
}

func (o *outputOptions) matteKind() outputspec.Kind {
	return outputspec.Kind{Name: "matte", About: "a video with the masks as alpha, or as a grey picture, for editors", Example: "matte,concept=dog,feather=2:dog.mov",
		New: func() any {
			return &matteKeys{splitKeys: splitKeys{splitNone}, CRF: o.crf, EncoderPreset: o.encoderPreset, shapingKeys: shapingKeys{Soft: true}}
		}}
}

func (k *matteKeys) check(path string) error {
	if s := k.shaping(); s != nil {
		if err := s.Check(); err != nil {
			return err
		}
	}
	if err := checkCRF(k.CRF); err != nil {
		return err
	}
	if err := k.checkPlaces(path, k.Concepts); err != nil {
		return err
	}
	_, err := k.options().Format(path)
	if err != nil && k.Codec != "" && !slices.Contains(video.MatteCodecs(), k.Codec) {
		return ui.WithHint(err, ui.DidYouMean(k.Codec, video.MatteCodecs(), "carve outputs matte lists all keys"))
	}
	return err
}

func (k *matteKeys) options() video.MatteOptions {
	return video.MatteOptions{Codec: k.Codec, Bits: k.Bits, Alpha: k.Alpha, Profile: k.Profile}
}

func (k *matteKeys) encoding(path string) encoding {
	format, _ := k.options().Format(path) // check has no error
	return encoding{encoderKeys: encoderKeys{Encoder: format.Encoder, CRF: k.CRF, EncoderPreset: k.EncoderPreset},
		pixels: format.Pixels, videoOnly: !k.Audio}
}

func (k *matteKeys) only(label string) outputKeys {
	one := *k
	one.Concepts, one.Split = []string{label}, splitNone
	return &one
}

func (k *matteKeys) sink(path string, in *input) carve.Sink {
	return &carve.Matte{Options: k.options(), Concepts: k.Concepts, Shaping: k.shaping(),
		Output: video.Sink{Path: path, Source: in.source, VideoOnly: !k.Audio, CRF: k.CRF, Lossless: k.CRF == 0,
			Preset: k.EncoderPreset, Threads: in.budget.encoders[path].Threads, Lookahead: in.budget.encoders[path].Lookahead,
			Overwrite: in.overwrite, Protect: in.protect, Log: in.log}}
}
