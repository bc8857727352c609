package main

import (
	"os"

	"github.com/spf13/pflag"

	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/models"
	"github.com/carve-video/carve/models/demo"
)

// runOptions are the flags of every command that segments: models, method, memory across
// frames, and resources.
type runOptions struct {
	modelOptions
	fetchOptions
	resourceOptions
	presetOptions
	memoryOptions
	messageOptions
}

// fetchOptions are the flags that allow or forbid downloading missing models.
type fetchOptions struct {
	yes     bool
	offline bool
}

// resourceOptions bound the use of the machine.
type resourceOptions struct {
	threads   int
	maxMemory byteSize
}

func (o *runOptions) addFlags(fs *pflag.FlagSet) {
	o.addModelFlags(fs)
	o.presetOptions.addFlags(fs)
	o.memoryOptions.addFlags(fs)
	o.messageOptions.addFlags(fs)
}

// addModelFlags adds the flags of the models and of the resources.
func (o *runOptions) addModelFlags(fs *pflag.FlagSet) {
	o.modelOptions.addFlags(fs)
	o.fetchOptions.addFlags(fs)
	o.resourceOptions.addFlags(fs)
}

func (o *fetchOptions) addFlags(fs *pflag.FlagSet) {
	fs.BoolVar(&o.yes, "yes", false, "download a missing model even if stderr is no terminal")
	fs.BoolVar(&o.offline, "offline", false, "never download anything")
}

func (o *resourceOptions) addFlags(fs *pflag.FlagSet) {
	fs.IntVar(&o.threads, "threads", 0, "CPU threads for the model and the CRF (default 0: all cores)")
	fs.Var(&o.maxMemory, "max-memory", "memory for frames, decoder, drawing and encoder, such as 2G or 1500MiB; the models come on top (default: 3 GB if that is enough, else up to half of the memory of the machine or container)")
}

// check finds mistakes in these flags, before any file is opened.
func (o *runOptions) check() error {
	if err := o.messageOptions.check(); err != nil {
		return err
	}
	if err := o.memoryOptions.check(); err != nil {
		return err
	}
	if o.compat && o.given("memory") && o.memory == "on" {
		return ui.WithHint(ui.Usagef("--compat has no memory between frames, and --memory is on"), "leave one of them out")
	}
	if o.compat && o.instances {
		return ui.WithHint(ui.Usagef("--instances needs memory, and --compat has none"), "leave one of them out")
	}
	if err := o.modelOptions.check(); err != nil {
		return err
	}
	if err := o.presetOptions.check(); err != nil {
		return err
	}
	return checkThreads(o.threads)
}

// files returns the existing files that a run reads beside its input, the folders of its
// models, and more. None of them is ever written.
func (o *runOptions) files(more ...string) []string {
	paths := append(more, o.preset, o.templates)
	proposer, judge := models.PairNames(o.model)
	for _, name := range []string{proposer, judge, o.classifier} {
		if name == "" || name == demo.Name {
			continue
		}
		paths = append(append(paths, name), models.CompanionFiles(name)...)
		if dir, err := models.Path(name); err == nil {
			paths = append(paths, dir)
		}
	}
	var there []string
	for _, path := range paths {
		if _, err := os.Stat(path); path != "" && err == nil {
			there = append(there, path)
		}
	}
	return there
}
