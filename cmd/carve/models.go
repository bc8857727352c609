package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/carve-video/carve/internal/printable"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/models"
	"github.com/carve-video/carve/models/demo"
	"github.com/carve-video/carve/models/selftest"
)

// modelsOptions are the flags of "carve models".
type modelsOptions struct {
	name       string
	heads      int
	textHeads  int
	activation string
	mean, std  string
	again      bool
	quiet      bool
	json       bool
}

func newModelsFlags(o *modelsOptions) *pflag.FlagSet {
	fs := pflag.NewFlagSet("models", pflag.ContinueOnError)
	fs.StringVar(&o.name, "name", "", "import: name for the model (default: from its checksum or its file)")
	fs.IntVar(&o.heads, "heads", 0, "import, selftest: number of attention heads of the vision transformer, if the file does not say")
	fs.IntVar(&o.textHeads, "text-heads", 0, "import, selftest: number of attention heads of the text transformer, if the file does not say")
	fs.StringVar(&o.activation, "activation", "", "import, selftest: quick_gelu or gelu, if the file does not say")
	fs.StringVar(&o.mean, "mean", "", "import, selftest: mean of the pixels that it was trained on, if the file does not say: R,G,B from 0 to 1, one number, or clip")
	fs.StringVar(&o.std, "std", "", "import, selftest: their standard deviation, in the same way")
	fs.BoolVar(&o.again, "again", false, "selftest: repeat a test that was done before")
	fs.BoolVar(&o.json, "json", false, "list, selftest: print one JSON object per line")
	fs.BoolVar(&o.quiet, "quiet", false, "pull: print errors only")
	return fs
}

func modelsHelp(all bool) string {
	var o modelsOptions
	return `carve models - list, show, download, import and check models

Usage:
  carve models [list]           list models on this machine, and models to pull
  carve models show NAME|PATH   describe a model
  carve models pull NAME…       download it, and verify its checksum
  carve models import PATH      copy a folder or a checkpoint into carve's cache
  carve models verify [NAME]    verify the checksums again (default: of all)
  carve models selftest NAME    test whether it names the 64 built-in stickers
  carve models rm NAME          delete it, with the files built from it
  carve models path NAME        print its folder

` + flagsHelp(newModelsFlags(&o), all) + `
A model is a CLIP with a vision transformer, in the form in which it is
published: OpenAI's .pt files, Hugging Face folders (model.safetensors, whole or
in shards, or pytorch_model.bin), OpenCLIP's files. carve never runs code in a
file.

"clip" is the pair clip-vit-base-patch16, which proposes masks, and
clip-vit-large-patch14, which judges them. "demo" is built in: a tiny model that
knows 64 emoji stickers and nothing else.

A model is tested automatically, once, after it was pulled or imported; selftest
prints the result. carve warns if it names fewer stickers than a trained CLIP
should.

Models are in
  ` + models.Dir() + `
CARVE_CACHE moves it. Interrupted downloads resume. CARVE_MIRROR, a base URL,
replaces the publisher's host, and HTTPS_PROXY is honoured.
`
}

// modelCommands are the subcommands, and how many names each takes.
var modelCommands = map[string]struct {
	least, most int
	run         func(ctx context.Context, o *modelsOptions, names []string, stdout, stderr io.Writer) error
}{
	"list":     {0, 0, listModels},
	"show":     {1, 1, showModel},
	"pull":     {1, 100, pullModels},
	"import":   {1, 1, importModel},
	"verify":   {0, 100, verifyModels},
	"selftest": {1, 100, selftestModels},
	"rm":       {1, 100, removeModels},
	"path":     {1, 1, modelPath},
}

func runModels(args []string, stdout, stderr io.Writer) error {
	var o modelsOptions
	fs := newModelsFlags(&o)
	if err := parse(fs, args, modelsHelp, stdout); err != nil {
		return err
	}
	const usage = "carve models --help lists the subcommands"
	words := fs.Args()
	if len(words) == 0 {
		words = []string{"list"}
	}
	v, ok := modelCommands[words[0]]
	if !ok {
		return ui.WithHint(ui.Usagef("cannot understand \"models %s\"", strings.Join(words, " ")),
			ui.DidYouMean(words[0], slices.Sorted(maps.Keys(modelCommands)), usage))
	}
	if len(words) == 1 && v.least == 1 {
		return ui.WithHint(ui.Usagef("carve models %s needs a name", words[0]), "carve models lists them")
	}
	if n := len(words) - 1; n < v.least || n > v.most {
		return ui.WithHint(ui.Usagef("cannot understand \"models %s\"", strings.Join(words, " ")), usage)
	}
	ctx, stop := interruptible()
	defer stop()
	return v.run(ctx, &o, words[1:], stdout, stderr)
}

// A listedModel is one line of "carve models list".
type listedModel struct {
	MessageType string `json:"message_type"`
	Name        string `json:"name"`
	State       string `json:"state"` // "built in", "here", "not here" or "unusable"
	Bytes       int64  `json:"bytes,omitempty"`
	Role        string `json:"role,omitempty"`
	About       string `json:"about"`
	Licence     string `json:"licence,omitempty"`
	Source      string `json:"source,omitempty"`

	Activation string      `json:"activation,omitempty"`
	Mean       *[3]float32 `json:"mean,omitempty"` // of its pixels
	Std        *[3]float32 `json:"std,omitempty"`
}

func listModels(ctx context.Context, o *modelsOptions, _ []string, stdout, _ io.Writer) error {
	var list []listedModel
	here := models.Names()
	for _, name := range here {
		list = append(list, describe(ctx, name))
	}
	for _, e := range models.Registry() {
		if !contains(here, e.Name) {
			list = append(list, listedModel{Name: e.Name, State: "not here", Bytes: e.Size, Role: e.Role, About: e.About, Licence: e.Licence, Source: e.URL,
				Activation: e.Activation, Mean: &e.Mean, Std: &e.Std})
		}
	}
	for _, m := range list {
		if o.json {
			m.MessageType = "model"
			line, err := json.Marshal(m)
			if err != nil {
				return err
			}
			fmt.Fprintf(stdout, "%s\n", line)
			continue
		}
		fmt.Fprintf(stdout, "%-28s %-9s %8s  %s\n", printable.Text(m.Name), m.State, ui.Megabytes(m.Bytes), printable.Text(m.About))
	}
	if !o.json {
		fmt.Fprintf(stdout, "\n\"clip\" is the pair clip-vit-base-patch16 and clip-vit-large-patch14.\nModels are in %s\n", models.Dir())
	}
	return nil
}

// describe opens a model on this machine to describe it.
func describe(ctx context.Context, name string) listedModel {
	l := listedModel{Name: name, State: "here"}
	if e, ok := models.Known(name); ok {
		l.About, l.Role, l.Licence, l.Source = e.About, e.Role, e.Licence, e.URL
	}
	if name == demo.Name {
		l.State = "built in"
	}
	m, err := models.Open(ctx, name, models.Options{})
	if err != nil {
		l.State, l.About = "unusable", ui.OneLine(err.Error())
		return l
	}
	defer m.Close() // it was only read
	i := m.Info()
	l.Bytes, l.Activation, l.Mean, l.Std = i.Bytes, i.Activation, &i.Mean, &i.Std
	if l.About == "" {
		l.About = fmt.Sprintf("ViT %d wide, %d blocks, patch %d, %d px; %s parameters, %s", i.Width, i.Layers, i.Patch, i.Resolution, count(i.Params), i.DType)
	}
	return l
}

func contains(names []string, name string) bool {
	for _, n := range names {
		if n == name {
			return true
		}
	}
	return false
}

func showModel(ctx context.Context, _ *modelsOptions, names []string, stdout, _ io.Writer) error {
	name := names[0]
	proposer, judge := models.PairNames(name)
	if proposer != judge {
		fmt.Fprintf(stdout, "%s is a pair: %s proposes masks, %s judges them\n\n", printable.Text(name), proposer, judge)
	}
	for _, half := range unique(proposer, judge) {
		m, err := models.Open(ctx, half, models.Options{})
		if err != nil {
			return modelError(err)
		}
		i := m.Info()
		fmt.Fprintf(stdout, `%s
  image     ViT %d wide, %d blocks, %d heads, patch %d, trained at %d px, %s
  pixels    mean %s, standard deviation %s
  text      %d wide, %d blocks, %d heads, up to %d tokens of %d
  space     %d dimensions
  weights   %s parameters, stored as %s, %s
`, printable.Text(i.Name), i.Width, i.Layers, i.Heads, i.Patch, i.Resolution, i.Activation,
			threeNumbers(i.Mean), threeNumbers(i.Std),
			i.TextWidth, i.TextLayers, i.TextHeads, i.Context, i.Vocabulary, i.Projection, count(i.Params), i.DType, ui.Megabytes(i.Bytes))
		if r := selftest.Saved(m); r != nil {
			fmt.Fprintf(stdout, "  selftest  %s (%s)\n", selftestScores(r), r.When.Format("2006-01-02"))
		}
		if err := m.Close(); err != nil {
			return err
		}
		if manifest, err := models.ReadManifest(half); err == nil {
			fmt.Fprintf(stdout, "  source    %s (%s)\n", printable.Text(manifest.Source), manifest.Added.Format("2006-01-02"))
			for _, f := range manifest.Files {
				fmt.Fprintf(stdout, "  file      %s, sha256 %s\n", printable.Text(f.Name), printable.Text(f.SHA256))
			}
		}
	}
	if name == demo.Name {
		fmt.Fprintf(stdout, `
Trained by us on scenes of emoji stickers only. It has never seen a photograph:
with real footage it can only show that the program runs. It knows these names:

%s

and these, a little less well:

%s
`, columns(demo.Concepts), synonyms())
	}
	return nil
}

func importModel(ctx context.Context, o *modelsOptions, names []string, stdout, stderr io.Writer) error {
	options, err := o.checkpointOptions()
	if err != nil {
		return err
	}
	options.Log = new(messageOptions).newLog(stderr)
	m, err := models.Import(ctx, names[0], o.name, options)
	if ctx.Err() != nil {
		return ui.InterruptedError{}
	}
	if err != nil {
		return modelError(settingsError(err))
	}
	size := int64(0)
	for _, f := range m.Files {
		size += f.Size
	}
	fmt.Fprintf(stdout, "imported %s: %s\n", printable.Text(m.Name), ui.Megabytes(size))
	return selftestOnce(ctx, m.Name, options.Log)
}

func verifyModels(ctx context.Context, _ *modelsOptions, names []string, stdout, _ io.Writer) error {
	if len(names) == 0 {
		names = models.Names()
	}
	var bad error
	var unknown *models.UnknownModelError
	for _, name := range names {
		for _, half := range pairOf(name) {
			known, err := models.Verify(ctx, half)
			switch {
			case ctx.Err() != nil:
				return ui.InterruptedError{}
			case errors.As(err, &unknown):
				return modelError(err)
			case err != nil:
				fmt.Fprintf(stdout, "%-28s bad: %s\n", printable.Text(half), ui.OneLine(err.Error()))
				bad = ui.WithHint(fmt.Errorf("verifying %s: %w", half, err), "carve models rm "+half+", then pull or import it again")
				if hint := ui.OwnHint(err); hint != "" {
					bad = ui.WithHint(fmt.Errorf("verifying %s: %w", half, err), hint)
				}
			case known:
				fmt.Fprintf(stdout, "%-28s ok\n", printable.Text(half))
			case half == demo.Name:
				fmt.Fprintf(stdout, "%-28s ok (built in)\n", printable.Text(half))
			default:
				fmt.Fprintf(stdout, "%-28s opens; it was put there by hand, so there are no checksums to compare\n", printable.Text(half))
			}
		}
	}
	return bad
}

func removeModels(_ context.Context, _ *modelsOptions, names []string, stdout, _ io.Writer) error {
	for _, name := range names {
		for _, half := range pairOf(name) {
			err := models.Remove(half)
			if foreign := (*models.ForeignFileError)(nil); errors.As(err, &foreign) {
				return ui.WithHint(fmt.Errorf("removing %s: %w", half, err), foreign.Hint())
			}
			var unknown *models.UnknownModelError
			if errors.As(err, &unknown) {
				return modelError(err)
			}
			if err != nil {
				return ui.WithHint(err, "carve models list shows the models on this machine")
			}
			fmt.Fprintf(stdout, "removed %s\n", printable.Text(half))
		}
	}
	return nil
}

func modelPath(_ context.Context, _ *modelsOptions, names []string, stdout, _ io.Writer) error {
	for _, half := range pairOf(names[0]) {
		path, err := models.Path(half)
		if err != nil {
			return modelError(err)
		}
		fmt.Fprintln(stdout, path)
	}
	return nil
}
