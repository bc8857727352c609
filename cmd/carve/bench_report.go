package main

import (
	"runtime"

	"github.com/carve-video/carve/models"
	"github.com/carve-video/carve/video"
)

// benchReport is the JSON of carve bench. Times are in seconds; shares are from 0 to 1,
// ratios from 0; rates are in 10^9 operations per second. What was not measured is left
// out.
type benchReport struct {
	MessageType string `json:"message_type"`
	Carve       string `json:"carve"`
	ONNXRuntime string `json:"onnx_runtime"`
	FFmpeg      string `json:"ffmpeg"`
	CPU         string `json:"cpu"`
	Cores       int    `json:"cores"`
	Threads     int    `json:"threads"` // of the models and the CRF
	Device      string `json:"device"`
	Proposer    string `json:"proposer"`
	Judge       string `json:"judge"`
	Precision   string `json:"precision"`
	Preset      string `json:"preset"`
	Compat      bool   `json:"compat"`
	Quick       bool   `json:"quick"`
	Random      bool   `json:"random_weights"` // --real-size
	Width       int    `json:"picture_width"`  // as the models see it
	Height      int    `json:"picture_height"`

	Clip    []benchClip        `json:"clip,omitempty"`
	Media   []benchMedia       `json:"media,omitempty"`
	Prompts []benchPrompts     `json:"prompts,omitempty"`
	CRF     []benchCRF         `json:"crf,omitempty"`
	MatMul  *benchMatMulReport `json:"matmul,omitempty"`
	Models  []benchModel       `json:"models,omitempty"`
	Loop    []benchLoop        `json:"loop,omitempty"`

	ClipMemory int64 `json:"clip_peak_memory_bytes,omitempty"`
	PeakMemory int64 `json:"peak_memory_bytes,omitempty"`
}

type benchClip struct {
	Memory string       `json:"memory"` // on or off
	Frames int64        `json:"frames"`
	Time   float64      `json:"time_s"`
	FPS    float64      `json:"frames_per_second"`
	Stages []benchStage `json:"stages"`
}

// A benchStage is one stage of the pipeline. Busy, Waiting and Blocked are shares of the
// run's time.
type benchStage struct {
	Name     string  `json:"name"`
	PerFrame float64 `json:"busy_s_per_frame"`
	Busy     float64 `json:"busy"`
	Waiting  float64 `json:"waiting"`
	Blocked  float64 `json:"blocked"`
	Queue    float64 `json:"queue"` // frames waiting for it, on average
}

type benchMedia struct {
	Name       string  `json:"name"`
	Width      int     `json:"width"`
	Height     int     `json:"height"`
	Frames     int64   `json:"frames"`
	Time       float64 `json:"time_s"`
	FPS        float64 `json:"frames_per_second"`
	Drawing    float64 `json:"masks_s_per_frame,omitempty"` // to enlarge the masks
	FFmpegTime float64 `json:"ffmpeg_time_s,omitempty"`
	Ratio      float64 `json:"ratio_to_ffmpeg,omitempty"` // of the speeds
	Command    string  `json:"ffmpeg_command,omitempty"`
	Extra      float64 `json:"extra_time,omitempty"` // of the further output, as a share of the time without it
}

type benchPrompts struct {
	Masks int     `json:"masks"`
	Time  float64 `json:"time_s"`
}

type benchCRF struct {
	Labels  int     `json:"labels"`
	Threads int     `json:"threads"`
	Time    float64 `json:"time_s"`
	TimeOne float64 `json:"one_thread_time_s"`
	Speedup float64 `json:"speedup"`
}

type benchMatMulReport struct {
	GFLOPS float64 `json:"gflops"`
}

type benchModel struct {
	Name       string  `json:"name"`
	GFLOP      float64 `json:"gflop"`
	Time       float64 `json:"time_s"`
	BareGFLOPS float64 `json:"bare_gflops,omitempty"`
	Share      float64 `json:"share_of_bare,omitempty"`
}

type benchLoop struct {
	Queries int     `json:"queries"`
	GFLOP   float64 `json:"gflop"`
	Time    float64 `json:"time_s"`
	Share   float64 `json:"share_of_bare,omitempty"`
	Outside float64 `json:"outside_onnx_runtime"`
	Judged  float64 `json:"pictures_judged"`
}

// describe starts the report with the versions, the machine and the settings.
func (b *bench) describe() error {
	_, onnx, err := models.Runtime()
	if err != nil {
		return err
	}
	threads := b.o.threads
	if threads == 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	cpu := procField("/proc/cpuinfo", "model name")
	if cpu == "" {
		cpu = runtime.GOARCH
	}
	b.report = &benchReport{
		MessageType: "bench", Carve: version, ONNXRuntime: onnx, FFmpeg: video.FFmpegVersion(),
		CPU: cpu, Cores: runtime.NumCPU(), Threads: threads, Device: b.models.device,
		Proposer: b.models.Proposer.Info().Name, Judge: b.models.Judge.Info().Name,
		Precision: b.o.precision, Preset: b.preset.Name, Compat: b.o.compat, Quick: b.o.quick, Random: b.o.realSize,
		Width: b.img.W, Height: b.img.H,
	}
	return nil
}
