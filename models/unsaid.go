package models

import (
	"fmt"
	"strings"
)

// What a checkpoint may leave unsaid: [UnsaidError].
const (
	UnsaidHeads      = "heads"
	UnsaidTextHeads  = "text heads"
	UnsaidActivation = "activation"
	UnsaidPixels     = "mean and standard deviation"
)

// An UnsaidError says that a checkpoint does not show how it is to be computed, and
// that nothing beside it does either.
type UnsaidError struct {
	File             string
	Alone            bool     // whether what lies beside the file was left aside
	Missing          []string // UnsaidHeads and so on
	Width, TextWidth int      // of the towers
}

func (e *UnsaidError) Error() string {
	var parts []string
	for _, m := range e.Missing {
		switch m {
		case UnsaidHeads:
			m = fmt.Sprintf("how many heads share its width of %d", e.Width)
		case UnsaidTextHeads:
			m = fmt.Sprintf("how many heads share its text width of %d", e.TextWidth)
		case UnsaidActivation:
			m = "which activation it was trained with"
		case UnsaidPixels:
			m = "on pixels of which mean and standard deviation it was trained"
		}
		parts = append(parts, m)
	}
	last := len(parts) - 1
	if last > 0 {
		parts = []string{strings.Join(parts[:last], ", ") + " and " + parts[last]}
	}
	return fmt.Sprintf("%s does not say %s", e.File, parts[0])
}

// Hint says what to do about it.
func (e *UnsaidError) Hint() string {
	var flags []string
	files := "config.json"
	for _, m := range e.Missing {
		switch m {
		case UnsaidHeads:
			m = fmt.Sprintf("--heads N (usually width / 64 = %d)", e.Width/64)
		case UnsaidTextHeads:
			m = fmt.Sprintf("--text-heads N (usually %d)", e.TextWidth/64)
		case UnsaidActivation:
			m = "--activation quick_gelu (OpenAI, MetaCLIP, DFN) or gelu (LAION and most others)"
		case UnsaidPixels:
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
	if e.Alone {
		beside += " and import the folder"
	}
	return fmt.Sprintf("import it with %s, as its publisher says; or %s", strings.Join(flags, ", "), beside)
}

// assume puts in what the caller knows, and finds what is still missing. alone
// tells that the file was named by itself.
func (o Options) assume(c *config, file string, alone bool) error {
	if o.Heads > 0 {
		c.Vision.Heads = o.Heads
	}
	if o.TextHeads > 0 {
		c.Text.Heads = o.TextHeads
	}
	if o.Activation != "" {
		c.Vision.Act, c.Text.Act = o.Activation, o.Activation
	}
	e := &UnsaidError{File: file, Alone: alone, Width: c.Vision.Width, TextWidth: c.Text.Width}
	for _, m := range []struct {
		unsaid bool
		what   string
	}{
		{c.Vision.Heads == 0, UnsaidHeads},
		{c.Text.Heads == 0, UnsaidTextHeads},
		{c.Vision.Act == "" || c.Text.Act == "", UnsaidActivation},
		{c.pixels.from == "", UnsaidPixels},
	} {
		if m.unsaid {
			e.Missing = append(e.Missing, m.what)
		}
	}
	if len(e.Missing) > 0 {
		return e
	}
	return nil
}
