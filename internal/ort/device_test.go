package ort

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
)

func TestParseDevice(t *testing.T) {
	for s, want := range map[string]string{
		"cpu": "cpu", "cuda": "cuda", "cuda:0": "cuda", "cuda:3": "cuda:3", "tensorrt:1": "tensorrt:1", "webgpu": "webgpu",
	} {
		d, err := ParseDevice(s)
		if err != nil || d.String() != want {
			t.Errorf("%s: %v, %v, want %s", s, d, err, want)
		}
	}
	for s, want := range map[string]string{
		"": "unknown", "tpu": "openvino", "auto": "unknown", "cpu:0": "only one cpu", "cuda:": "no number",
		"cuda:-1": "no number", "cuda:x": "no number", "cuda:99999999": "no number",
	} {
		if d, err := ParseDevice(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, %v, want an error with %q", s, d, err, want)
		}
	}
}

func TestCheckDevice(t *testing.T) {
	options := map[string]string{"a": "b"}
	for device, fine := range map[string]bool{"": false, "auto": false, "cpu": false, "directml": false, "cuda": true, "openvino": true} {
		if err := CheckDevice(device, options); (err == nil) != fine {
			t.Errorf("options of %q: %v", device, err)
		}
		if err := CheckDevice(device, nil); err != nil {
			t.Errorf("%q: %v", device, err)
		}
	}
}

// A provider that the library lacks, or whose device is missing, is an error that says
// what to install. It never ends the program.
func TestMissingDevices(t *testing.T) {
	for _, p := range Providers() {
		if p.Name == CPU {
			continue
		}
		d, err := ParseDevice(p.Name)
		if err != nil {
			t.Fatal(err)
		}
		err = try(d, nil)
		if err == nil {
			t.Logf("%s can be used here", p.Name)
			continue
		}
		t.Log(err)
		var device *DeviceError
		if !errors.As(err, &device) || device.Hint() == "" || !strings.Contains(err.Error(), p.Name) {
			t.Errorf("%s: %v", p.Name, err)
		}
		if again := try(d, nil); again != err {
			t.Errorf("%s: the second answer is another: %v", p.Name, again)
		}
	}
}

// Auto falls back to the CPU, and says why if there is a driver for a GPU.
func TestAutoSaysWhy(t *testing.T) {
	cuda, err := ParseDevice("cuda")
	if err != nil {
		t.Fatal(err)
	}
	if try(cuda, nil) == nil {
		t.Skip("there is a GPU here")
	}
	logGPUUnused = sync.Once{}
	var log bytes.Buffer
	o := Options{Log: slog.New(slog.NewTextHandler(&log, nil))}
	for _, driver := range []bool{false, true} {
		old := driverFiles
		t.Cleanup(func() { driverFiles = old })
		driverFiles = []string{"/nowhere"}
		if driver {
			driverFiles = []string{t.TempDir()}
		}
		d, err := choose(o)
		if err != nil || d.Name != CPU {
			t.Fatal(d, err)
		}
		if said := strings.Contains(log.String(), "NVIDIA driver,"); said != driver {
			t.Errorf("driver %v: said %q", driver, log.String())
		}
	}
	if _, err := choose(o); err != nil || strings.Count(log.String(), "NVIDIA driver,") != 1 {
		t.Errorf("said more than once: %v, %s", err, log.String())
	}
}
