package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/carve-video/carve/models"
	"github.com/carve-video/carve/models/demo"
	"github.com/spf13/pflag"
)

func modelsHelp() string {
	return `carve models - list the models that are there, show what one is

Usage:
  carve models list
  carve models show NAME|FOLDER

A model is a CLIP ViT in Hugging Face layout: a folder with config.json,
model.safetensors, vocab.json and merges.txt. Folders in ` + models.Dir() + `
can be named without their path. "clip" is the pair clip-vit-base-patch16,
which proposes masks, and clip-vit-large-patch14, which judges them. "demo" is
built in: a tiny model that knows 64 emoji stickers and nothing else.
`
}

func runModels(args []string, stdout, stderr io.Writer) error {
	fs := pflag.NewFlagSet("models", pflag.ContinueOnError)
	if err := parse(fs, args, modelsHelp, stdout); err != nil {
		return err
	}
	verb := fs.Arg(0)
	switch {
	case verb == "list" && fs.NArg() == 1:
		return listModels(stdout)
	case verb == "show" && fs.NArg() == 2:
		return showModel(stdout, fs.Arg(1))
	case fs.NArg() == 0:
		return withHint(usagef("what about the models?"), "carve models list, or carve models show NAME")
	}
	return withHint(usagef("cannot understand \"models %s\"", strings.Join(fs.Args(), " ")), "carve models list, or carve models show NAME")
}

func listModels(stdout io.Writer) error {
	for _, name := range models.Names() {
		m, err := models.Open(context.Background(), name, models.Options{})
		if err != nil {
			fmt.Fprintf(stdout, "%-24s unusable: %v\n", name, err)
			continue
		}
		i := m.Info()
		what := ""
		if name == demo.Name {
			what = "  (built in; 64 stickers)"
		}
		fmt.Fprintf(stdout, "%-24s ViT %d wide, %d blocks, patch %d, %d px; %s parameters, %s%s\n",
			name, i.Width, i.Layers, i.Patch, i.Resolution, count(i.Params), i.DType, what)
		if err := m.Close(); err != nil {
			return err
		}
	}
	fmt.Fprintf(stdout, "\nothers go into %s, one folder each\n", models.Dir())
	return nil
}

func showModel(stdout io.Writer, name string) error {
	proposer, judge := models.Pair(name)
	if proposer != judge {
		fmt.Fprintf(stdout, "%s is a pair: %s proposes masks, %s judges them\n\n", name, proposer, judge)
	}
	for _, half := range uniq(proposer, judge) {
		m, err := models.Open(context.Background(), half, models.Options{})
		if err != nil {
			return modelError(name, err)
		}
		i := m.Info()
		fmt.Fprintf(stdout, `%s
  image     ViT %d wide, %d blocks, %d heads, patch %d, trained at %d px
  text      %d wide, %d blocks, up to %d tokens of %d
  space     %d dimensions
  weights   %s parameters, stored as %s
`, i.Name, i.Width, i.Layers, i.Heads, i.Patch, i.Resolution,
			i.TextWidth, i.TextLayers, i.Context, i.Vocabulary, i.Projection, count(i.Params), i.DType)
		if err := m.Close(); err != nil {
			return err
		}
	}
	if name == demo.Name {
		fmt.Fprintf(stdout, `
Trained by us on scenes of emoji stickers; it has never seen a photograph, and
real footage proves the plumbing, not the meaning. It knows, by these names:

%s

and by these as well, a little less well:

%s
`, columns(demo.Concepts), synonyms())
	}
	return nil
}

// modelError adds the hint to an error that says that a model is not there.
func modelError(name string, err error) error {
	if name == defaultModel {
		return withHint(err, fmt.Sprintf("put OpenAI's CLIP, as Hugging Face folders, into %s (README, first ten minutes), name a folder with -m, or try -m demo", models.Dir()))
	}
	var unknown *models.UnknownModelError
	if errors.As(err, &unknown) {
		return withHint(err, "carve models list shows those there are; a folder is given as ./FOLDER")
	}
	return err
}

func uniq(a, b string) []string {
	if a == b {
		return []string{a}
	}
	return []string{a, b}
}

// count writes a number of parameters the way models are named: 2.0 M.
func count(n int64) string {
	if n >= 1e9 {
		return fmt.Sprintf("%.1f G", float64(n)/1e9)
	}
	return fmt.Sprintf("%.1f M", float64(n)/1e6)
}

// columns lays names out in lines of at most 76 characters.
func columns(names []string) string {
	var b strings.Builder
	width := 0
	for i, n := range names {
		if i < len(names)-1 {
			n += ","
		}
		if width+len(n)+1 > 76 {
			b.WriteString("\n")
			width = 0
		}
		if width == 0 {
			b.WriteString("  ")
			width = 1
		} else {
			b.WriteString(" ")
		}
		b.WriteString(n)
		width += len(n) + 1
	}
	return b.String()
}

func synonyms() string {
	var list []string
	for _, c := range demo.Concepts {
		for _, s := range demo.Synonyms[c] {
			list = append(list, fmt.Sprintf("%s (%s)", s, c))
		}
	}
	return columns(list)
}
