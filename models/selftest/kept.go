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

// A Result is a test of a model, and how the model was run.
type Result struct {
	Version  int       `json:"version"`
	Model    string    `json:"model"`
	Settings Settings  `json:"settings"`
	When     time.Time `json:"when"`
	Seconds  float64   `json:"seconds"`
	Figures
	Doubts []string `json:"doubts"` // what is below the floors; empty where all is well
	Kept   bool     `json:"kept"`   // whether it was read and not measured now
}

// Settings are what no tensor shows.
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

// maxResult bounds what is read of a kept result, which has a few KB.
const maxResult = 1 << 20

// Kept is the result of an earlier test of the model as it is now; nil where there is
// none.
func Kept(m *models.Model) *Result {
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
	r.Model, r.Kept = m.Info().Name, true
	r.Doubts = r.Figures.Doubts() // whatever the file says
	return &r
}

// Run tests a model. keep keeps the result beside what else was made of its weights;
// one that cannot be kept is returned with the error that says why. Do not keep the
// result of a model that was opened with other settings than its own.
func Run(ctx context.Context, m *models.Model, keep bool) (*Result, error) {
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
		Seconds: time.Since(began).Seconds(), Figures: *figures, Doubts: figures.Doubts()}
	if !keep {
		return r, nil
	}
	if err := r.keep(m); err != nil {
		return r, fmt.Errorf("the result of the self-test of model %s cannot be kept: %w", r.Model, err)
	}
	return r, nil
}

func (r *Result) keep(m *models.Model) error {
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
