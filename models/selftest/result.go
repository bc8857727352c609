package selftest

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/carve-video/carve/internal/atomicfile"
	"github.com/carve-video/carve/internal/bounded"
	"github.com/carve-video/carve/models"
)

// A Result is the result of a self-test, with the settings of the model.
type Result struct {
	Version  int       `json:"version"`
	Model    string    `json:"model"`
	Settings Settings  `json:"settings"`
	When     time.Time `json:"when"`
	Seconds  float64   `json:"seconds"`
	Measurements
	Doubts    []string `json:"doubts"` // results below the floors; empty if there are none
	FromCache bool     `json:"kept"`   // whether it was read from the cache, not measured
}

// Settings are the settings of a model that cannot be read from its tensors.
type Settings struct {
	Activation string     `json:"activation"`
	Mean       [3]float32 `json:"mean"`
	Std        [3]float32 `json:"std"`
	Heads      int        `json:"heads"`
	TextHeads  int        `json:"text_heads"`
}

func settingsOf(m *models.Model) Settings {
	i := m.Info()
	return Settings{i.Activation, i.Mean, i.Std, i.Heads, i.TextHeads}
}

// maxResult is the largest size of a saved result, which has a few KB.
const maxResult = 1 << 20

// Saved returns the result of an earlier test of the model with the same settings; nil if
// there is none.
func Saved(m *models.Model) *Result {
	path, err := m.SelfTestFile()
	if err != nil || path == "" {
		return nil
	}
	b, err := bounded.ReadFile(path, maxResult)
	if err != nil {
		return nil
	}
	var r Result
	if json.Unmarshal(b, &r) != nil || r.Version != Version || r.Settings != settingsOf(m) {
		return nil
	}
	r.Model, r.FromCache = m.Info().Name, true
	r.Doubts = r.Measurements.Doubts() // not those of the file
	return &r
}

// Run tests a model. If save is true, the result is saved in the cache; if that fails, Run
// returns both the result and an error. Do not save the result of a model that was opened
// with other settings than its own.
func Run(ctx context.Context, m *models.Model, save bool) (*Result, error) {
	began := time.Now()
	judge, err := m.Judge()
	if err != nil {
		return nil, err
	}
	figures, err := Measure(ctx, judge)
	if err != nil {
		return nil, fmt.Errorf("failed to test model %s: %w", m.Info().Name, err)
	}
	r := &Result{Version: Version, Model: m.Info().Name, Settings: settingsOf(m), When: began.UTC().Truncate(time.Second),
		Seconds: time.Since(began).Seconds(), Measurements: *figures, Doubts: figures.Doubts()}
	if !save {
		return r, nil
	}
	if err := r.save(m); err != nil {
		return r, fmt.Errorf("the result of the self-test of model %s cannot be saved: %w", r.Model, err)
	}
	return r, nil
}

func (r *Result) save(m *models.Model) error {
	path, err := m.SelfTestFile()
	if err != nil || path == "" {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return atomicfile.WriteFile(path, append(b, '\n'), atomicfile.Options{Overwrite: true})
}
