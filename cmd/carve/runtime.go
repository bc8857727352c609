package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/carve-video/carve/internal/fetch"
	"github.com/carve-video/carve/internal/ort"
	"github.com/carve-video/carve/internal/ortdist"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/models"
	"github.com/spf13/pflag"
)

// runtimeOptions are the flags of "carve runtime".
type runtimeOptions struct {
	bare  bool
	quiet bool
}

func newRuntimeFlags(o *runtimeOptions) *pflag.FlagSet {
	fs := pflag.NewFlagSet("runtime", pflag.ContinueOnError)
	fs.BoolVar(&o.bare, "without-nvidia", false, "pull cuda: without NVIDIA's libraries, for a system that has CUDA 13 and cuDNN 9")
	fs.BoolVar(&o.quiet, "quiet", false, "pull: print errors only")
	return fs
}

func runtimeHelp(all bool) string {
	var o runtimeOptions
	return `carve runtime - list and download ONNX Runtime, the library that runs the models

Usage:
  carve runtime [list]      list builds on this machine, and builds to pull
  carve runtime pull cpu    download the build for any CPU
  carve runtime pull cuda   download the build for NVIDIA GPUs, with everything
                            except the driver
  carve runtime verify      verify the checksums of the downloaded builds again

` + flagsHelp(newRuntimeFlags(&o), all) + `
Builds are in
  ` + ort.CacheDir() + `
If there is an NVIDIA driver, carve uses the GPU build, which also runs on the
CPU. CARVE_ONNXRUNTIME names a library of your own. Interrupted downloads
resume. CARVE_MIRROR, a base URL, replaces the publisher's host, and HTTPS_PROXY
is honoured.
`
}

func runRuntime(args []string, stdout, stderr io.Writer) error {
	var o runtimeOptions
	fs := newRuntimeFlags(&o)
	if err := parse(fs, args, runtimeHelp, stdout); err != nil {
		return err
	}
	cache := ort.CacheDir()
	if cache == "" {
		return ui.WithHint(errors.New("there is no folder for ONNX Runtime"), "set CARVE_CACHE")
	}
	ctx, stop := interruptible()
	defer stop()
	switch verb := strings.Join(fs.Args(), " "); {
	case verb == "", verb == "list":
		return listRuntimes(cache, stdout)
	case verb == "verify":
		return verifyRuntimes(ctx, cache, stdout)
	case fs.NArg() == 2 && fs.Arg(0) == "pull":
		return pullRuntime(ctx, cache, fs.Arg(1), o, stdout, stderr)
	default:
		return ui.WithHint(ui.Usagef("cannot understand \"runtime %s\"", verb),
			ui.DidYouMean(fs.Arg(0), []string{"list", "pull", "verify"}, "carve runtime --help lists the subcommands"))
	}
}

func listRuntimes(cache string, stdout io.Writer) error {
	list, bad := ortdist.List(cache)
	for _, in := range list {
		fmt.Fprintf(stdout, "%-5s %-8s %-8s %8s  %s\n", in.Name, in.Version, "here", ui.Megabytes(in.Size), in.Folder)
	}
	for _, b := range ortdist.Builds() {
		if b.OS != runtime.GOOS || b.Arch != runtime.GOARCH {
			continue
		}
		here := slices.ContainsFunc(list, func(in ortdist.Installed) bool { return in.Name == b.Name && in.Version == b.Version })
		if !here {
			fmt.Fprintf(stdout, "%-5s %-8s %-8s %8s  to fetch%s\n", b.Name, b.Version, "not here", ui.Megabytes(b.Size(true)), needs(b))
		}
	}
	if path, version, err := models.Runtime(); err == nil {
		fmt.Fprintf(stdout, "\nin use: %s (%s)\n", path, version)
	} else {
		fmt.Fprintf(stdout, "\nin use: none: %s\n", ui.OneLine(err.Error()))
	}
	return bad
}

func needs(b ortdist.Build) string {
	if b.Needs == "" {
		return ""
	}
	return "; needs " + b.Needs
}

func pullRuntime(ctx context.Context, cache, name string, o runtimeOptions, stdout, stderr io.Writer) error {
	b, err := ortdist.Find(name)
	if err != nil {
		return ui.WithHint(ui.UsageError{Err: err}, ui.DidYouMean(name, []string{"cpu", "cuda"}, "carve runtime list shows the builds for this machine"))
	}
	if o.bare && name != "cuda" {
		return ui.Usagef("--without-nvidia applies only to the build cuda")
	}
	if !o.quiet {
		fmt.Fprintf(stderr, "ONNX Runtime %s for %s%s: %s to fetch, unless it is here\n", b.Version, b.Name, needs(b), ui.Megabytes(b.Size(!o.bare)))
		for _, a := range b.Archives {
			if !a.Libraries || !o.bare {
				fmt.Fprintf(stderr, "  %-60s %8s  %s\n", a.Name, ui.Megabytes(a.Size), a.Licence)
			}
		}
	}
	in, err := ortdist.Install(ctx, cache, b, ortdist.Options{Libraries: !o.bare, Get: func(ctx context.Context, a ortdist.Archive, dest string) error {
		show := newTransfer(a.Name, o.quiet, stderr)
		defer show.end()
		c := fetch.Client{Mirror: os.Getenv("CARVE_MIRROR"), Progress: show.progress}
		_, err := c.Get(ctx, fetch.File{URLs: []string{a.URL}, SHA256: a.SHA256}, dest)
		return err
	}})
	if ctx.Err() != nil {
		return ui.WithHint(ui.InterruptedError{}, "the downloaded part is kept: the same command continues there")
	}
	if err != nil {
		return ui.WithHint(fmt.Errorf("pulling ONNX Runtime for %s: %w", name, err),
			"CARVE_MIRROR sets another host, HTTPS_PROXY a proxy; CARVE_ONNXRUNTIME names a library of your own")
	}
	fmt.Fprintf(stdout, "%s\n", in.Library)
	return nil
}

func verifyRuntimes(ctx context.Context, cache string, stdout io.Writer) error {
	list, bad := ortdist.List(cache)
	for _, in := range list {
		name := filepath.Base(in.Folder)
		err := ortdist.Verify(ctx, in.Folder)
		switch {
		case ctx.Err() != nil:
			return ui.InterruptedError{}
		case errors.Is(err, ortdist.ErrNoManifest):
			fmt.Fprintf(stdout, "%-28s present; there are no checksums to compare\n", name)
		case err != nil:
			fmt.Fprintf(stdout, "%-28s bad: %s\n", name, ui.OneLine(err.Error()))
			bad = errors.Join(bad, ui.WithHint(err, "remove "+in.Folder+" and pull it again"))
		default:
			fmt.Fprintf(stdout, "%-28s ok\n", name)
		}
	}
	return bad
}
