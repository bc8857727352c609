package models

import (
	"fmt"
	"strings"
)

// The settings that may be missing from a checkpoint, see [MissingSettingsError].
const (
	SettingHeads      = "heads"
	SettingTextHeads  = "text heads"
	SettingActivation = "activation"
	SettingPixels     = "mean and standard deviation"
)

// A MissingSettingsError says that settings of a checkpoint are found neither in it nor in
// the files next to it.
type MissingSettingsError struct {
	File             string
	Standalone       bool     // whether the files next to it were ignored
	Missing          []string // SettingHeads and so on
	Width, TextWidth int      // of the towers
}

func (e *MissingSettingsError) Error() string {
	var parts []string
	for _, m := range e.Missing {
		switch m {
		case SettingHeads:
			m = fmt.Sprintf("how many heads share its width of %d", e.Width)
		case SettingTextHeads:
			m = fmt.Sprintf("how many heads share its text width of %d", e.TextWidth)
		case SettingActivation:
			m = "which activation it was trained with"
		case SettingPixels:
			m = "the mean and standard deviation of the pixels it was trained on"
		}
		parts = append(parts, m)
	}
	last := len(parts) - 1
	if last > 0 {
		parts = []string{strings.Join(parts[:last], ", ") + " and " + parts[last]}
	}
	return fmt.Sprintf("%s does not say %s", e.File, parts[0])
}

// Hint says how to solve it.
func (e *MissingSettingsError) Hint() string {
	var flags []string
	files := "config.json"
	for _, m := range e.Missing {
		switch m {
		case SettingHeads:
			m = fmt.Sprintf("--heads N (usually width / 64 = %d)", e.Width/64)
		case SettingTextHeads:
			m = fmt.Sprintf("--text-heads N (usually %d)", e.TextWidth/64)
		case SettingActivation:
			m = "--activation quick_gelu (OpenAI, MetaCLIP, DFN) or gelu (LAION and most others)"
		case SettingPixels:
			m = "--mean clip --std clip (OpenAI and most others) or --mean 0.5 --std 0.5 (LAION's ViT-L/14 of 2B)"
			if len(e.Missing) == 1 {
				files = preprocessorFile
			} else {
				files += " and " + preprocessorFile
			}
		}
		flags = append(flags, m)
	}
	beside := "put its " + files + " beside it"
	if e.Standalone {
		beside += " and import the folder"
	}
	return fmt.Sprintf("import it with %s, as its publisher says; or %s", strings.Join(flags, ", "), beside)
}

// applyTo sets the settings that the options give, and returns a [MissingSettingsError] if
// some are still missing. standalone says that the file was given by its path.
func (o Options) applyTo(c *config, file string, alone bool) error {
	if o.Heads > 0 {
		c.Vision.Heads = o.Heads
	}
	if o.TextHeads > 0 {
		c.Text.Heads = o.TextHeads
	}
	if o.Activation != "" {
		c.Vision.Act, c.Text.Act = o.Activation, o.Activation
	}
	e := &MissingSettingsError{File: file, Standalone: alone, Width: c.Vision.Width, TextWidth: c.Text.Width}
	for _, m := range []struct {
		missing bool
		what    string
	}{
		{c.Vision.Heads == 0, SettingHeads},
		{c.Text.Heads == 0, SettingTextHeads},
		{c.Vision.Act == "" || c.Text.Act == "", SettingActivation},
		{c.pixels.from == "", SettingPixels},
	} {
		if m.missing {
			e.Missing = append(e.Missing, m.what)
		}
	}
	if len(e.Missing) > 0 {
		return e
	}
	return nil
}
