package main

import (
	"cmp"
	"errors"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/models"
)

// modelOptions are the flags of the models and their device.
type modelOptions struct {
	model      string
	classifier string
	device     string
	settings   deviceSettings
	precision  string
}

func (o *modelOptions) addFlags(fs *pflag.FlagSet) {
	fs.StringVarP(&o.model, "model", "m", defaultModel, "CLIP that proposes masks: a name, a folder or a checkpoint")
	fs.StringVar(&o.classifier, "classifier", "", "CLIP that judges them (default: the model's pair)")
	fs.StringVar(&o.device, "device", "auto", "device that the models run on, see --help-all; auto: a GPU if one works, else the CPU")
	fs.Var(&o.settings, "device-option", "setting of the device's provider, by its name in ONNX Runtime (repeatable)")
	fs.StringVar(&o.precision, "precision", "fp32", "fp32; int8: two to three times faster on a CPU, slightly less exact; fp16: for GPUs; bf16: for 64-bit Arm")
}

func (o *modelOptions) check() error {
	if err := oneOf("precision", o.precision, models.Precisions()...); err != nil {
		return err
	}
	if err := models.CheckDevice(o.device, o.settings, o.precision); err != nil {
		return ui.WithHint(ui.UsageError{Err: err}, deviceHint(o.device))
	}
	return nil
}

// pair returns the names of the model that proposes and of the one that judges.
func (o *modelOptions) pair() (proposer, judge string) {
	proposer, judge = models.PairNames(o.model)
	return proposer, cmp.Or(o.classifier, judge)
}

// deviceSettings are the values of --device-option.
type deviceSettings map[string]string

// Set implements [pflag.Value].
func (d *deviceSettings) Set(s string) error {
	key, value, ok := strings.Cut(s, "=")
	if !ok || key == "" {
		return errors.New("it is KEY=VALUE")
	}
	if *d == nil {
		*d = deviceSettings{}
	}
	(*d)[key] = value
	return nil
}

// GetSlice, Append and Replace implement [pflag.SliceValue]: the flag may be repeated.
func (d *deviceSettings) GetSlice() (list []string) {
	for _, key := range slices.Sorted(maps.Keys(*d)) {
		list = append(list, key+"="+(*d)[key])
	}
	return list
}

func (d *deviceSettings) Append(s string) error { return d.Set(s) }

func (d *deviceSettings) Replace(list []string) error {
	*d = nil
	for _, s := range list {
		if err := d.Set(s); err != nil {
			return err
		}
	}
	return nil
}

// String and Type implement [pflag.Value].
func (d *deviceSettings) String() string { return "" }
func (d *deviceSettings) Type() string   { return "KEY=VALUE" }

// deviceHint is the hint for an invalid device.
func deviceHint(device string) string {
	var names []string
	for _, d := range models.Devices() {
		names = append(names, d.Name)
	}
	kind, _, _ := strings.Cut(device, ":")
	if strings.EqualFold(kind, "gpu") {
		return "auto uses a GPU if one works; cuda is an NVIDIA GPU, others are in carve --help-all"
	}
	if slices.Contains(names, kind) {
		kind = ""
	}
	return ui.DidYouMean(kind, names, "carve --help-all lists devices and precisions")
}

// devicesHelp lists the devices, and which of them are untested.
func devicesHelp() string {
	var b strings.Builder
	for _, d := range models.Devices() {
		name := d.Name
		if d.Numbered {
			name += "[:N]"
		}
		untested := ""
		if !d.Tried {
			untested = " (untested)"
		}
		b.WriteString(ui.Hanging("  "+name, 29, d.About+untested))
	}
	return b.String()
}
