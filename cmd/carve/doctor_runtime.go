package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/carve-video/carve/internal/ort"
	"github.com/carve-video/carve/internal/ui"
	"github.com/carve-video/carve/models"
)

// runtime looks for ONNX Runtime and computes something on each of its devices.
func (d *doctor) runtime(ctx context.Context) {
	path, version, err := models.Runtime()
	if err != nil {
		i := item{Section: sectionRuntime, Name: "ONNX Runtime", Status: statusFails, Detail: err.Error()}
		if errors.Is(err, ort.ErrNoRuntime) {
			i.Status = statusMissing
		} else {
			err = ui.WithHint(err, "carve runtime pull cpu fetches one that works; CARVE_ONNXRUNTIME names a library of your own")
		}
		d.blocks(i, err)
		return
	}
	d.add(item{Section: sectionRuntime, Name: "ONNX Runtime", Status: statusOK, Version: version, Detail: path})
	d.telemetry()
	asked, _ := ort.ParseDevice(d.options.device) // "auto" is none
	for _, p := range ort.Providers() {
		if ctx.Err() != nil {
			return
		}
		name, options := p.Name, map[string]string(nil)
		if asked.Name == p.Name {
			name, options = asked.String(), d.options.settings
		}
		d.busy("trying " + name)
		err := ort.Try(name, options)
		i := item{Section: sectionRuntime, Name: name, Status: statusOK, Detail: p.About}
		if err == nil && !p.Tried {
			i.Detail += "; it computes, and nobody has looked at what carve's models give on it"
		}
		if err == nil {
			d.add(i)
			continue
		}
		i.Status, i.Detail = statusInfo, shortReason(err)
		switch {
		case asked.Name == p.Name || p.Name == ort.CPU:
			i.Status = statusFails
			d.blocks(i, ui.WithHint(err, p.Needs))
			continue
		case p.Name == "cuda" && ort.HasDriver():
			i.Status = statusFails
			i.Detail = "there is an NVIDIA driver, but its GPU cannot be used: " + i.Detail
		}
		i.Hint = p.Needs
		d.add(i)
	}
}

// telemetry says whether ONNX Runtime tells its maker what it is used for. carve has
// nothing of the kind itself.
func (d *doctor) telemetry() {
	i := item{Section: sectionRuntime, Name: "telemetry", Status: statusOK, Detail: "off: ONNX Runtime's own is switched off before it is loaded"}
	if ort.Telemetry() {
		i.Status, i.Detail = statusInfo, "on: your environment says so, and ONNX Runtime may tell its maker what it is used for"
		i.Hint = "unset ORT_DISABLE_TELEMETRY"
	}
	d.add(i)
}

// shortReason is what the runtime says about a device, without the sentence
// around it.
func shortReason(err error) string {
	var device *ort.DeviceError
	if !errors.As(err, &device) {
		return fmt.Sprint(err)
	}
	why := device.Reason()
	// A library of the runtime's own that is not there, in some hundred characters.
	if strings.Contains(why, "libonnxruntime_providers_") && strings.Contains(why, "No such file") {
		return "this build of ONNX Runtime does not have it"
	}
	return why
}
