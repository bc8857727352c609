package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/carve-video/carve/internal/outputspec"
	"github.com/carve-video/carve/internal/ui"
)

func newOutputsFlags() *pflag.FlagSet { return pflag.NewFlagSet("outputs", pflag.ContinueOnError) }

func outputsHelp(bool) string {
	return `carve outputs - list the kinds of outputs

Usage:
  carve outputs         all kinds
  carve outputs KIND    the keys of one, with their defaults

An output is -o [KIND[,key=value…]:]PATH, and -o may be repeated: the model runs
once for all of them. Without a kind it is an overlay, which is the video with
masks drawn over it. A value that contains a comma or a colon is quoted:

  carve -i in.mp4 -q dog -q cat -o out.mp4 -o 'masks,split=concept:masks/'

A path that begins with the name of a kind and a colon is written ./masks:x.
`
}

func runOutputs(args []string, stdout, _ io.Writer) error {
	fs := newOutputsFlags()
	if err := parse(fs, args, outputsHelp, stdout); err != nil {
		return err
	}
	kinds := defaultOptions().outputKinds()
	switch fs.NArg() {
	case 0:
		for _, k := range kinds {
			fmt.Fprintf(stdout, "%-10s %s\n%10s -o '%s'\n", k.Name, k.About, "", k.Example)
		}
		return nil
	case 1:
		i := slices.IndexFunc(kinds, func(k outputspec.Kind) bool { return k.Name == fs.Arg(0) })
		if i < 0 {
			var names []string
			for _, k := range kinds {
				names = append(names, k.Name)
			}
			return ui.WithHint(ui.Usagef("there is no kind of output %q", fs.Arg(0)), ui.DidYouMean(fs.Arg(0), names, "the kinds are "+strings.Join(names, ", ")))
		}
		printKind(stdout, &kinds[i])
		return nil
	}
	return ui.WithHint(ui.Usagef("cannot understand \"outputs %s\"", strings.Join(args, " ")), "carve outputs --help explains it")
}

// printKind prints the keys of a kind.
func printKind(w io.Writer, k *outputspec.Kind) {
	fmt.Fprintf(w, "%s: %s\n\n  -o '%s'\n\n", k.Name, k.About, k.Example)
	width := 0
	for _, f := range k.Fields() {
		width = max(width, len(f.Key))
	}
	for _, f := range k.Fields() {
		text := f.Doc
		if len(f.Values) > 0 {
			text += ": " + strings.Join(f.Values, ", ")
		}
		if f.Unit != "" {
			text += ", in " + f.Unit
		}
		if f.Default != "" {
			text += " (default " + f.Default + ")"
		}
		fmt.Fprint(w, ui.Hanging("  "+f.Key, width+4, text))
	}
}
