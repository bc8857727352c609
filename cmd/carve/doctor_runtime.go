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
		d.addBlocker(i, err)
		return
	}
	d.add(item{Section: sectionRuntime, Name: "ONNX Runtime", Status: statusOK, Version: version, Detail: path})
	d.telemetry()
	requested, _ := ort.ParseDevice(d.options.device) // empty for "auto"
	for _, p := range ort.Providers() {
		if ctx.Err() != nil {
			return
		}
		name, options := p.Name, map[string]string(nil)
		if requested.Name == p.Name {
			name, options = requested.String(), d.options.settings
		}
		d.busy("trying " + name)
		err := ort.Try(name, options)
		i := item{Section: sectionRuntime, Name: name, Status: statusOK, Detail: p.About}
		if err == nil && !p.Tried {
			i.Detail += "; it computes, but the results of carve's models on it are untested"
		}
		if err == nil {
			d.add(i)
			continue
		}
		i.Status, i.Detail = statusInfo, shortReason(err)
		switch {
		case requested.Name == p.Name || p.Name == ort.CPU:
			i.Status = statusFails
			d.addBlocker(i, ui.WithHint(err, p.Needs))
			continue
		case p.Name == "cuda" && ort.HasDriver():
			i.Status = statusFails
			i.Detail = "there is an NVIDIA driver, but its GPU cannot be used: " + i.Detail
		}
		i.Hint = p.Needs
		d.add(i)
	}
}

// telemetry reports whether ONNX Runtime's telemetry is on. carve itself has none.
func (d *doctor) telemetry() {
	i := item{Section: sectionRuntime, Name: "telemetry", Status: statusOK, Detail: "off: ONNX Runtime's own is switched off before it is loaded"}
	if ort.Telemetry() {
		i.Status, i.Detail = statusInfo, "on: your environment says so, and ONNX Runtime may send its maker data about its use"
		i.Hint = "unset ORT_DISABLE_TELEMETRY"
	}
	d.add(i)
}

// shortReason returns the runtime's message about a device, without the rest of the error.
func shortReason(err error) string {
	var device *ort.DeviceError
	if !errors.As(err, &device) {
		return fmt.Sprint(err)
	}
	reason := device.Reason()
	// The runtime reports a missing library of its own in some hundred characters.
	if strings.Contains(reason, "libonnxruntime_providers_") && strings.Contains(reason, "No such file") {
		return "this build of ONNX Runtime does not have it"
	}
	return reason
}
