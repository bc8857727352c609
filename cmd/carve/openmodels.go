package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/bpe"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/models"
	"github.com/carve-video/carve/models/demo"
)

// openedModels are the proposer and the judge of a run.
type openedModels struct {
	*models.Pair
	segmenter *car.Segmenter
	device    string
}

func openModels(o *runOptions, queries []car.Query, preset car.Preset, stderr io.Writer, log *slog.Logger) (_ *openedModels, err error) {
	proposer, judge := o.pair()
	if err := checkLengths(queries, preset, unique(proposer, judge)); err != nil {
		return nil, err
	}
	if err := ensureModels(&o.fetchOptions, unique(proposer, judge), o.quiet || o.logFormat == "json", stderr, log); err != nil {
		return nil, err
	}
	options := models.Options{Threads: o.threads, Device: o.device, DeviceOptions: o.settings, Precision: o.precision, Log: log}
	options.SkipLastBlock = preset.Quirks.SkipLastBlock
	m := &openedModels{}
	ctx, release := interruptible()
	defer release()
	if m.Pair, err = models.OpenPair(ctx, o.model, o.classifier, options); err != nil {
		return nil, modelError(err)
	}
	defer func() {
		if err == nil && ctx.Err() != nil {
			err = ui.InterruptedError{} // opening a session cannot be cancelled
		}
		if err != nil {
			m.Close()
		}
	}()
	for _, q := range queries {
		for _, phrase := range slices.Concat(q.Phrases, q.Background) {
			if err := m.checkLength(phrase, preset); err != nil {
				return nil, textError(fmt.Errorf("query %q: %w", q.Label, err))
			}
		}
		for _, phrase := range q.Phrases {
			if proposer == demo.Name && !demo.Knows(phrase) {
				log.Warn(fmt.Sprintf("the demo model does not know %q; %s", phrase,
					ui.DidYouMean(phrase, demo.Names(), "\"carve models show demo\" lists what it knows")))
			}
		}
	}
	if m.segmenter, err = m.Segmenter(preset); err != nil {
		return nil, runtimeError(err)
	}
	m.device = m.Proposer.Device()
	switch {
	case m.device != "cpu":
		log.Info("the models run on " + m.device)
	case o.precision == models.Float16:
		log.Warn("precision fp16 is no faster than fp32 on a CPU")
	}
	return m, nil
}

// checkLengths finds a phrase that is too long, before models are downloaded. All models
// that can be downloaded have OpenAI's vocabulary and context length.
func checkLengths(queries []car.Query, preset car.Preset, names []string) error {
	const most = 77
	published := slices.ContainsFunc(names, func(name string) bool {
		_, known := models.Known(name)
		return known && name != demo.Name
	})
	if !published {
		return nil
	}
	clip, err := bpe.CLIP()
	if err != nil {
		return err
	}
	for _, q := range queries {
		for _, phrase := range slices.Concat(q.Phrases, q.Background) {
			for _, text := range preset.Texts(phrase) {
				if _, err := clip.EncodeMax(text, most); err != nil {
					return textError(fmt.Errorf("query %q: %w", q.Label, err))
				}
			}
		}
	}
	return nil
}

// checkLength finds out whether a phrase, in each of the templates, is short enough for
// the models.
func (m *openedModels) checkLength(phrase string, preset car.Preset) error {
	for _, text := range preset.Texts(phrase) {
		for _, model := range []*models.Model{m.Proposer, m.Judge} {
			if _, err := model.Tokens(text); err != nil {
				return err
			}
		}
	}
	return nil
}

func textError(err error) error {
	if errors.Is(err, models.ErrTooLong) {
		return ui.WithHint(ui.UsageError{Err: err}, "use fewer words; several phrases can be given as LABEL=PHRASE|PHRASE")
	}
	return err
}

func runtimeError(err error) error {
	if h := ui.OwnHint(err); h != "" {
		return ui.WithHint(err, h)
	}
	return err
}
