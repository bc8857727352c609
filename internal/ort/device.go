package ort

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/carve-video/carve/internal/onnx"
	onnxruntime "github.com/yalue/onnxruntime_go"
)

// A Provider is an execution provider of the runtime: a kind of device.
type Provider struct {
	Name  string
	About string // the hardware it runs on
	// Tried tells whether carve's graphs have been run on it and the results checked.
	Tried bool
	// Numbered providers can select one of several devices: cuda:1.
	Numbered bool
	// Settings tells whether it has options.
	Settings bool
	// Needs says what must be installed.
	Needs string

	add func(to *onnxruntime.SessionOptions, number int, options map[string]string) error
}

// Auto selects the best device that works.
const Auto = "auto"

// CPU is the only device that every build of the runtime has.
const CPU = "cpu"

// providers are all known providers.
var providers = []Provider{
	{Name: CPU, About: "any CPU", Tried: true, add: addNothing},
	{Name: "cuda", About: "NVIDIA GPUs", Tried: true, Numbered: true, Settings: true, add: addCUDA,
		Needs: "carve runtime pull cuda fetches the GPU build of ONNX Runtime, which needs an NVIDIA GPU and its driver; --device cpu needs neither"},
	{Name: "tensorrt", About: "NVIDIA GPUs, by TensorRT", Numbered: true, Settings: true, add: addTensorRT,
		Needs: "it needs what --device cuda needs (carve runtime pull cuda) and NVIDIA's TensorRT 10 in the library path"},
	{Name: "coreml", About: "Apple's GPUs and Neural Engine", Settings: true, add: addCoreML,
		Needs: "it needs macOS and a build of ONNX Runtime with CoreML: CARVE_ONNXRUNTIME names its library"},
	{Name: "openvino", About: "Intel's CPUs, GPUs and NPUs", Settings: true, add: addOpenVINO,
		Needs: "it needs a build of ONNX Runtime with OpenVINO: CARVE_ONNXRUNTIME names its library"},
	{Name: "directml", About: "any GPU on Windows", Numbered: true, add: addDirectML,
		Needs: "it needs Windows and a build of ONNX Runtime with DirectML: CARVE_ONNXRUNTIME names its library"},
	{Name: "webgpu", About: "any GPU, by WebGPU", Settings: true, add: addWebGPU,
		Needs: "it needs a GPU with a driver for Vulkan, Metal or Direct3D 12, and a build of ONNX Runtime with WebGPU (those of 1.30 have it)"},
}

// autoOrder are the devices that [Auto] tries, the best first. Providers with unchecked
// results are only used on request.
var autoOrder = []string{"cuda", CPU}

// Providers returns the known providers.
func Providers() []Provider { return slices.Clone(providers) }

// addNothing is for the CPU, which every session falls back on.
func addNothing(*onnxruntime.SessionOptions, int, map[string]string) error { return nil }

// addCUDA computes products of float32 in float32. By default the provider rounds their
// inputs to the 10 bits of TF32, and masks differ from the reference's. The option
// use_tf32=1 is much faster.
func addCUDA(to *onnxruntime.SessionOptions, number int, options map[string]string) error {
	cuda, err := onnxruntime.NewCUDAProviderOptions()
	if err != nil {
		return err
	}
	defer cuda.Destroy()
	if err := cuda.Update(withDefaults(options, "device_id", strconv.Itoa(number), "use_tf32", "0")); err != nil {
		return err
	}
	return to.AppendExecutionProviderCUDA(cuda)
}

// addTensorRT caches the engines that TensorRT builds, which takes minutes, and leaves
// what it cannot run to CUDA.
func addTensorRT(to *onnxruntime.SessionOptions, number int, options map[string]string) error {
	trt, err := onnxruntime.NewTensorRTProviderOptions()
	if err != nil {
		return err
	}
	defer trt.Destroy()
	defaults := []string{"device_id", strconv.Itoa(number)}
	if cache := CacheDir(); cache != "" {
		defaults = append(defaults, "trt_engine_cache_enable", "1", "trt_engine_cache_path", filepath.Join(cache, "tensorrt"))
	}
	if err := trt.Update(withDefaults(options, defaults...)); err != nil {
		return err
	}
	if err := to.AppendExecutionProviderTensorRT(trt); err != nil {
		return err
	}
	return addCUDA(to, number, nil)
}

func addCoreML(to *onnxruntime.SessionOptions, _ int, options map[string]string) error {
	return to.AppendExecutionProviderCoreMLV2(withDefaults(options, "ModelFormat", "MLProgram"))
}

func addOpenVINO(to *onnxruntime.SessionOptions, _ int, options map[string]string) error {
	return to.AppendExecutionProviderOpenVINO(withDefaults(options))
}

func addDirectML(to *onnxruntime.SessionOptions, number int, _ map[string]string) error {
	return to.AppendExecutionProviderDirectML(number)
}

func addWebGPU(to *onnxruntime.SessionOptions, _ int, options map[string]string) error {
	return to.AppendExecutionProvider("WebGPU", withDefaults(options))
}

// withDefaults merges defaults, given as keys and values in turn, with the user's
// options, which have priority.
func withDefaults(options map[string]string, defaults ...string) map[string]string {
	all := map[string]string{}
	for i := 0; i < len(defaults); i += 2 {
		all[defaults[i]] = defaults[i+1]
	}
	maps.Copy(all, options)
	return all
}

// A Device is a provider and the number of a device.
type Device struct {
	Provider
	Number int
}

// String returns the device in the form that [ParseDevice] reads.
func (d Device) String() string {
	if d.Number > 0 {
		return d.Name + ":" + strconv.Itoa(d.Number)
	}
	return d.Name
}

// ParseDevice parses "cpu", "cuda" or "cuda:1". [Auto] is not a device.
func ParseDevice(s string) (Device, error) {
	name, number, numbered := strings.Cut(s, ":")
	i := slices.IndexFunc(providers, func(p Provider) bool { return p.Name == name })
	if i < 0 {
		names := []string{Auto}
		for _, p := range providers {
			names = append(names, p.Name)
		}
		return Device{}, fmt.Errorf("unknown device %q: want one of %s", s, strings.Join(names, ", "))
	}
	d := Device{Provider: providers[i]}
	if !numbered {
		return d, nil
	}
	if !d.Numbered {
		return d, fmt.Errorf("the device %q has a number, and there is only one %s", s, name)
	}
	n, err := strconv.ParseUint(number, 10, 15)
	if err != nil {
		return d, fmt.Errorf("the device %q has no number behind the colon", s)
	}
	d.Number = int(n)
	return d, nil
}

// CheckDevice returns what is wrong with a device and its options. It opens nothing.
func CheckDevice(device string, options map[string]string) error {
	if device == "" || device == Auto {
		if len(options) > 0 {
			return errors.New("options of a device need the device by name")
		}
		return nil
	}
	d, err := ParseDevice(device)
	if err != nil {
		return err
	}
	if len(options) > 0 && !d.Settings {
		return fmt.Errorf("the device %s has no options", d.Name)
	}
	return nil
}

// A DeviceError says that the runtime cannot use a device.
type DeviceError struct {
	Device Device
	Err    error // from the runtime
}

func (e *DeviceError) Error() string {
	return fmt.Sprintf("the device %s cannot be used: %s", e.Device, e.Reason())
}

// Reason returns the runtime's reason in short.
func (e *DeviceError) Reason() string {
	why := e.Err.Error()
	// The runtime's text begins with the source position and the kind of error or
	// failed condition: "/a/b.cc:12 f(x) [ONNXRuntimeError] : 1 : FAIL : why",
	// "/a/b.cc:12 f(x) y was false. why".
	if _, after, ok := strings.Cut(why, " was false. "); ok {
		why = after
	}
	if i := strings.LastIndex(why, "[ONNXRuntimeError] : "); i >= 0 {
		if parts := strings.SplitN(why[i:], " : ", 4); len(parts) == 4 {
			why = parts[3]
		}
	}
	return why
}

func (e *DeviceError) Unwrap() error { return e.Err }

// Hint returns what must be installed.
func (e *DeviceError) Hint() string { return e.Device.Needs }

// choose returns the device for a session: the requested one or a [DeviceError], or for
// [Auto] the best that works.
func choose(o Options) (Device, error) {
	if err := CheckDevice(o.Device, o.DeviceOptions); err != nil {
		return Device{}, err
	}
	if o.Device != "" && o.Device != Auto {
		d, _ := ParseDevice(o.Device) // already checked
		return d, try(d, o.DeviceOptions)
	}
	for _, name := range autoOrder {
		d, err := ParseDevice(name)
		if err != nil {
			return d, err
		}
		if err = try(d, nil); err == nil {
			return d, nil
		}
		// Without a GPU this is of no interest.
		if o.Log != nil && d.Name == "cuda" && HasDriver() {
			logGPUUnused.Do(func() {
				o.Log.Warn("there is an NVIDIA driver, but its GPU cannot be used", "err", err, "hint", d.Needs)
			})
		}
	}
	return Device{}, errors.New("no device can be used, not even the CPU")
}

// logGPUUnused logs once in a process that a GPU is not used.
var logGPUUnused sync.Once

// tries caches which devices work: a trial takes a while, and the answer does not
// change during a process.
var tries struct {
	sync.Mutex
	of map[string]error
}

// try finds out by use whether a device works: a provider that is listed, or that can
// be added to a session, may still lack its libraries, its driver or its device.
func try(d Device, options map[string]string) error {
	if d.Name == CPU {
		return nil
	}
	if err := Start(); err != nil {
		return err
	}
	tries.Lock()
	defer tries.Unlock()
	key := fmt.Sprint(d, options) // fmt sorts maps
	if err, ok := tries.of[key]; ok {
		return err
	}
	err := tryOnce(d, options)
	if err != nil {
		err = &DeviceError{d, err}
	}
	if tries.of == nil {
		tries.of = map[string]error{}
	}
	tries.of[key] = err
	return err
}

// Try finds out by use whether a device, as in [ParseDevice], works. Unlike a session
// it also tries the CPU. The error of a provider is a [DeviceError].
func Try(device string, options map[string]string) error {
	d, err := ParseDevice(device)
	if err != nil {
		return err
	}
	if d.Name != CPU {
		return try(d, options)
	}
	if err := Start(); err != nil {
		return err
	}
	if err := tryOnce(d, nil); err != nil {
		return &DeviceError{d, err}
	}
	return nil
}

// tryOnce multiplies two numbers on a device.
func tryOnce(d Device, deviceOptions map[string]string) error {
	g := onnx.NewGraph("trial")
	g.Output("y", g.MatMul(g.Input("x", onnx.Float32, onnx.Fixed(1), onnx.Fixed(1)), g.Floats([]float32{3}, 1, 1)), onnx.Float32)
	model, err := g.Marshal()
	if err != nil {
		return err
	}
	options, err := onnxruntime.NewSessionOptions()
	if err != nil {
		return err
	}
	defer options.Destroy()
	// A failure is this function's error; the library would also log it in a form of
	// its own.
	if err := options.SetLogSeverityLevel(onnxruntime.LoggingLevelFatal); err != nil {
		return err
	}
	if err := d.add(options, d.Number, deviceOptions); err != nil {
		return err
	}
	s, err := onnxruntime.NewDynamicAdvancedSessionWithONNXData(model, g.Inputs(), g.Outputs(), options)
	if err != nil {
		return err
	}
	defer s.Destroy()
	y := make([]float32, 1)
	in, err := NewTensor([]float32{2}, 1, 1)
	if err != nil {
		return err
	}
	defer in.Destroy()
	out, err := NewTensor(y, 1, 1)
	if err != nil {
		return err
	}
	defer out.Destroy()
	if err := s.Run([]Tensor{in}, []Tensor{out}); err != nil {
		return err
	}
	if y[0] != 6 {
		return fmt.Errorf("it says that 2 times 3 is %g", y[0])
	}
	return nil
}
