package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/models"
)

// checkpointOptions returns the settings that a checkpoint itself does not contain.
func (o *modelsOptions) checkpointOptions() (models.Options, error) {
	m := models.Options{Heads: o.heads, TextHeads: o.textHeads, Activation: o.activation}
	if o.activation != "" {
		if err := oneOf("activation", o.activation, "quick_gelu", "gelu"); err != nil {
			return m, err
		}
	}
	const most = 1024 // far more than any transformer has
	if min(o.heads, o.textHeads) < 0 || max(o.heads, o.textHeads) > most {
		return m, ui.Usagef("--heads is %d and --text-heads %d; a number of heads is from 0 to %d", o.heads, o.textHeads, most)
	}
	if (o.mean == "") != (o.std == "") {
		return m, ui.WithHint(ui.Usagef("--mean and --std belong together"), pixelsHint)
	}
	var err error
	if m.Mean, err = parsePixels("mean", o.mean, models.CLIPMean, 0); err == nil {
		m.Std, err = parsePixels("std", o.std, models.CLIPStd, 1e-3)
	}
	return m, err
}

const pixelsHint = "three numbers for red, green and blue, from 0 to 1 (0.485,0.456,0.406), one for all three (0.5), or clip"

// parsePixels reads a mean or a standard deviation. An empty string is nil.
func parsePixels(flag, s string, clip [3]float32, least float64) ([]float32, error) {
	if s == "" {
		return nil, nil
	}
	if s == "clip" {
		return clip[:], nil
	}
	parts := strings.Split(s, ",")
	if len(parts) == 1 {
		parts = []string{s, s, s}
	}
	var out []float32
	for _, p := range parts {
		v, err := strconv.ParseFloat(strings.TrimSpace(p), 32)
		if err != nil || !(v >= least && v <= 1) {
			break
		}
		out = append(out, float32(v))
	}
	if len(parts) != 3 || len(out) != 3 {
		return nil, ui.WithHint(ui.Usagef("--%s %q is no %s of pixels", flag, s, flag), pixelsHint)
	}
	return out, nil
}

// threeNumbers formats a mean or a standard deviation, as 0.4815 0.4578 0.4082.
func threeNumbers(v [3]float32) string {
	if v[0] == v[1] && v[1] == v[2] {
		return fmt.Sprintf("%.4g", v[0])
	}
	return fmt.Sprintf("%.4g %.4g %.4g", v[0], v[1], v[2])
}

// settingsError makes an error about missing or contradictory settings of a checkpoint a
// usage error, because flags can give them.
func settingsError(err error) error {
	var unsaid *models.MissingSettingsError
	var disagree *models.ConflictError
	if errors.As(err, &unsaid) || errors.As(err, &disagree) {
		return ui.UsageError{Err: err}
	}
	return err
}
