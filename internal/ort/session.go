// Package ort runs ONNX models with ONNX Runtime.
//
// The runtime is a shared library that is opened for the first session ([FindLibrary]
// says where it is looked for). So a program without it starts, and can report that it
// is missing. A process has one environment, which is never destroyed, since that would
// free nothing.
//
// A [Session] is made from an encoded model and lives until Close. Its inputs and
// outputs are tensors over memory of the caller, who may keep them between runs. A run
// only allocates the operators' intermediate results, from the session's arena.
package ort

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"

	onnxruntime "github.com/yalue/onnxruntime_go"
)

// A Tensor is an input or an output of a run.
type Tensor = onnxruntime.Value

// Options control a session.
type Options struct {
	// Threads is the number of threads an operator may use; 0 is one for each core that
	// the process may use.
	Threads int
	// Device is as in [ParseDevice], or [Auto] or empty for the best that works.
	// DeviceOptions are the provider's own settings, by its names.
	Device        string
	DeviceOptions map[string]string
	// BFloat16 allows the CPU to round the inputs of products to bfloat16, if it can;
	// see [HasBFloat16].
	BFloat16 bool
	// Log receives which device was chosen; nil for none.
	Log *slog.Logger
}

// A Session is a model ready to run. Run may be called from several goroutines, but
// parallel runs compete for cores and are slower than runs one after the other. On any
// device but a CPU, runs are serialised.
type Session struct {
	name    string
	session *onnxruntime.DynamicAdvancedSession
	device  string
	thread  *thread // the thread it runs on; nil for any
}

var environment struct {
	sync.Mutex
	library string // set once the environment exists
}

// Start opens the library and makes the environment, once in a process. NewSession
// calls it; an earlier call tells early whether it works.
func Start() error {
	environment.Lock()
	defer environment.Unlock()
	if environment.library != "" {
		return nil
	}
	found, err := FindLibrary()
	if err != nil {
		return err
	}
	path := found.Path
	if err := disableTelemetryByVariable(); err != nil {
		return err
	}
	if err := preload(found.Preload); err != nil {
		return fmt.Errorf("failed to start ONNX Runtime from %s: %w", path, err)
	}
	onnxruntime.SetSharedLibraryPath(path)
	if err := onnxruntime.InitializeEnvironment(onnxruntime.WithLogLevelError()); err != nil {
		return fmt.Errorf("failed to start ONNX Runtime from %s: %w", path, err)
	}
	if err := disableTelemetryByCall(); err != nil {
		// It is destroyed: otherwise the next caller would find it started, with
		// telemetry on.
		err = fmt.Errorf("failed to switch off the telemetry of ONNX Runtime: %w", err)
		return errors.Join(err, onnxruntime.DestroyEnvironment())
	}
	environment.library = path
	return nil
}

// Library returns the path of the library in use and its version. Both are empty before
// Start.
func Library() (path, version string) {
	environment.Lock()
	defer environment.Unlock()
	if environment.library == "" {
		return "", ""
	}
	return environment.library, onnxruntime.GetVersion()
}

// OpenSession loads a model from a file. Weights in files beside it are mapped, not
// read.
func OpenSession(name, path string, inputs, outputs []string, o Options) (*Session, error) {
	return newSession(name, o, func(options *onnxruntime.SessionOptions) (*onnxruntime.DynamicAdvancedSession, error) {
		return onnxruntime.NewDynamicAdvancedSession(path, inputs, outputs, options)
	})
}

// NewSession loads an encoded model. Errors call it name.
func NewSession(name string, model []byte, inputs, outputs []string, o Options) (*Session, error) {
	return newSession(name, o, func(options *onnxruntime.SessionOptions) (*onnxruntime.DynamicAdvancedSession, error) {
		return onnxruntime.NewDynamicAdvancedSessionWithONNXData(model, inputs, outputs, options)
	})
}

func newSession(name string, o Options,
	load func(*onnxruntime.SessionOptions) (*onnxruntime.DynamicAdvancedSession, error)) (*Session, error) {
	if err := Start(); err != nil {
		return nil, err
	}
	s := &Session{name: name}
	options, err := s.options(o)
	if err != nil {
		return nil, fmt.Errorf("failed to set up the session for %s: %w", name, err)
	}
	defer options.Destroy()
	if s.session, err = load(options); err != nil {
		return nil, fmt.Errorf("failed to load %s: %w", name, err)
	}
	if s.device != CPU {
		s.thread = newThread()
	}
	trim()
	if o.Log != nil {
		o.Log.Debug("session ready", "graph", name, "device", s.device)
	}
	return s, nil
}

func (s *Session) options(o Options) (_ *onnxruntime.SessionOptions, err error) {
	threads := o.Threads
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	options, err := onnxruntime.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			options.Destroy()
		}
	}()
	err = errors.Join(
		options.SetIntraOpNumThreads(threads),
		options.SetInterOpNumThreads(1),
		// A plan of the memory for each input shape would be kept beside the memory of
		// that shape's first run: twice the memory, and no faster.
		options.SetMemPattern(false),
		options.SetGraphOptimizationLevel(onnxruntime.GraphOptimizationLevelEnableAll),
		options.SetLogSeverityLevel(onnxruntime.LoggingLevelError),
	)
	if err != nil {
		return nil, err
	}
	config := map[string]string{
		// Idle threads would spin on cores that decoding, drawing and encoding need,
		// and each session has its own threads. On two busy cores spinning made the
		// trunk 1.7 times slower.
		"session.intra_op.allow_spinning": "0",
	}
	if o.BFloat16 {
		config["mlas.enable_gemm_fastmath_arm64_bfloat16"] = "1"
	}
	for k, v := range config {
		if err := options.AddSessionConfigEntry(k, v); err != nil {
			return nil, err
		}
	}
	device, err := choose(o)
	if err != nil {
		return nil, err
	}
	if err := device.add(options, device.Number, o.DeviceOptions); err != nil {
		return nil, &DeviceError{device, err}
	}
	s.device = device.String()
	return options, nil
}

// HasBFloat16 tells whether the runtime has products of bfloat16 for this kind of CPU.
// It has them for 64-bit Arm on Linux, and none for x86, even where the CPU could.
func HasBFloat16() bool { return runtime.GOOS == "linux" && runtime.GOARCH == "arm64" }

// Device returns the device of the session, in the form of [ParseDevice].
func (s *Session) Device() string { return s.device }

// Run runs the model. in and out are in the order of the names given to NewSession, and
// none is nil: the runtime writes into the tensors in out. If ctx ends, the run is
// interrupted and ctx's error returned.
func (s *Session) Run(ctx context.Context, in, out []Tensor) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	options, err := onnxruntime.NewRunOptions()
	if err != nil {
		return fmt.Errorf("failed to run %s: %w", s.name, err)
	}
	defer options.Destroy()
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(ended)
		options.Terminate() // the run's own error says whether it was terminated
	})
	run := func() { err = s.session.RunWithOptions(in, out, options) }
	if s.thread != nil {
		s.thread.do(run)
	} else {
		run()
	}
	// The binding passes bare C pointers to the runtime. The tensors, and the Go memory
	// below them, must stay reachable until the run is over.
	runtime.KeepAlive(in)
	runtime.KeepAlive(out)
	if !stop() {
		<-ended // options must outlive the call to Terminate
	}
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("failed to run %s: %w", s.name, err)
	}
	return nil
}

// Close frees the session. No run may be in progress. A second Close does nothing.
func (s *Session) Close() error {
	if s == nil || s.session == nil {
		return nil
	}
	if s.thread != nil {
		s.thread.close()
	}
	err := s.session.Destroy()
	s.session = nil
	return err
}

// Element are the supported element types of tensors.
type Element interface{ float32 | int64 | uint8 }

// NewTensor makes a tensor over data, which must match the shape and stays the
// caller's. Free it with Destroy.
func NewTensor[T Element](data []T, shape ...int) (Tensor, error) {
	sides := make(onnxruntime.Shape, len(shape))
	n := 1
	for i, d := range shape {
		sides[i] = int64(d)
		n *= d
	}
	if len(data) != n {
		return nil, fmt.Errorf("a tensor of shape %v has %d elements, not %d", shape, n, len(data))
	}
	t, err := onnxruntime.NewTensor(sides, data)
	if err != nil {
		return nil, fmt.Errorf("failed to make a tensor of shape %v: %w", shape, err)
	}
	return t, nil
}
