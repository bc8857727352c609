package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"

	"github.com/carve-video/carve/internal/printable"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/models"
	"github.com/carve-video/carve/models/demo"
	"github.com/carve-video/carve/models/selftest"
)

// selftestModels tests models with the built-in stickers, or prints the stored results.
func selftestModels(ctx context.Context, o *modelsOptions, names []string, stdout, stderr io.Writer) error {
	options, err := o.checkpointOptions()
	if err != nil {
		return err
	}
	options.Log = new(messageOptions).newLog(stderr)
	var bad error
	for _, name := range names {
		for _, half := range pairOf(name) {
			r, err := selftestModel(ctx, half, options, o.again)
			switch {
			case ctx.Err() != nil:
				return ui.InterruptedError{}
			case r == nil:
				return err
			case err != nil:
				options.Log.Warn(err.Error())
			}
			if err := printSelftest(r, o.json, stdout); err != nil {
				return err
			}
			if len(r.Doubts) > 0 {
				bad = selftestError(r)
			}
		}
	}
	return bad
}

// selftestModel returns the result for one model. If the result cannot be stored, it
// returns an error as well.
func selftestModel(ctx context.Context, name string, options models.Options, again bool) (r *selftest.Result, err error) {
	if e, ok := models.Known(name); ok {
		// A proposer's graph for judging would only take disk space.
		options.InMemory = !strings.Contains(e.Role, "classifier")
	}
	m, err := models.Open(ctx, name, options)
	if err != nil {
		return nil, modelError(settingsError(err))
	}
	defer m.Close() // it was only read
	own := options.Heads == 0 && options.TextHeads == 0 && options.Activation == "" && options.Mean == nil
	if r := selftest.Saved(m); r != nil && own && !again {
		return r, nil
	}
	if size := m.Info().Bytes; size > 100e6 {
		options.Log.Info(fmt.Sprintf("testing %s with the built-in stickers, once; a minute or two on a small machine", printable.Text(name)))
	}
	if r, err = selftest.Run(ctx, m, own); r == nil {
		return nil, runtimeError(err)
	}
	return r, err
}

// selftestOnce tests a model after a pull or an import. A failed test is a warning, not an
// error of that command.
func selftestOnce(ctx context.Context, name string, log *slog.Logger) error {
	r, err := selftestModel(ctx, name, models.Options{Log: log}, false)
	switch {
	case ctx.Err() != nil:
		return ui.WithHint(ui.InterruptedError{}, "the model is here; carve models selftest "+name+" tests it")
	case errors.Is(err, models.ErrNoRuntime):
		return nil // already reported when the model could not be run
	case r == nil:
		log.Warn(fmt.Sprintf("the self-test of model %s could not be run", name), "err", err)
		return nil
	case err != nil:
		log.Warn(err.Error())
	}
	if len(r.Doubts) > 0 {
		doubt := selftestError(r)
		log.Warn(fmt.Sprintf("%v; %s", doubt, ui.Hint(doubt)))
		return nil
	}
	log.Info(fmt.Sprintf("self-test of %s: %s", name, selftestScores(r)))
	return nil
}

// selftestError says which results are outside the thresholds.
func selftestError(r *selftest.Result) error {
	return ui.WithHint(fmt.Errorf("model %s does not perform like a trained CLIP: %s", r.Model, strings.Join(r.Doubts, "; ")),
		fmt.Sprintf("it may be loaded with wrong settings: compare carve models show %s with its publisher's description; carve models import takes --activation, --mean and --std", r.Model))
}

func selftestScores(r *selftest.Result) string {
	return fmt.Sprintf("%d of %d stickers named correctly, %d of %d pale ones", r.Plain.Right, r.Plain.Images, r.Pale.Right, r.Pale.Images)
}

// shownConfusions is how many wrong names are printed.
const shownConfusions = 6

func printSelftest(r *selftest.Result, asJSON bool, stdout io.Writer) error {
	if asJSON {
		line, err := json.Marshal(struct {
			MessageType string `json:"message_type"`
			*selftest.Result
		}{"selftest", r})
		if err == nil {
			_, err = fmt.Fprintf(stdout, "%s\n", line)
		}
		return err
	}
	fmt.Fprintf(stdout, "%s: %s\n", printable.Text(r.Model), selftestScores(r))
	fmt.Fprintf(stdout, "  first five  %d of %d, %d of %d pale\n", r.Plain.InFive, r.Plain.Images, r.Pale.InFive, r.Pale.Images)
	fmt.Fprintf(stdout, "  sure        %.3f, right in %.3f; loss %.3f\n", r.Confidence, r.Accuracy, r.Loss)
	fmt.Fprintf(stdout, "  logits      %.2f of the right name, %.2f of the others, spread %.2f\n", r.RightLogit, r.OtherLogits, r.Spread)
	fmt.Fprintf(stdout, "  scale       %.4g, from the file\n", r.Scale)
	fmt.Fprintf(stdout, "  settings    %s, mean %s, std %s\n", printable.Text(r.Settings.Activation), threeNumbers(r.Settings.Mean), threeNumbers(r.Settings.Std))
	for i, c := range r.Confusions {
		switch {
		case i == shownConfusions:
			fmt.Fprintf(stdout, "              and %d more\n", len(r.Confusions)-i)
			return nil
		case c.Pale:
			fmt.Fprintf(stdout, "  taken for   a pale %s: %s, by %.2f\n", printable.Text(c.Shown), printable.Text(c.Named), c.By)
		default:
			fmt.Fprintf(stdout, "  taken for   %s: %s, by %.2f\n", printable.Text(c.Shown), printable.Text(c.Named), c.By)
		}
	}
	if r.Model == demo.Name {
		fmt.Fprintf(stdout, "The demo model was trained on these stickers: do not compare other models with it.\n")
	}
	if r.FromCache {
		fmt.Fprintf(stdout, "Tested on %s; --again repeats the test.\n", r.When.Format("2006-01-02"))
	}
	return nil
}
