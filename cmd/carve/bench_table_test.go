package main

import (
	"strings"
	"testing"
)

func TestBenchTable(t *testing.T) {
	r := &benchReport{
		Carve: "1.0", ONNXRuntime: "1.2.3", FFmpeg: "7.1", CPU: "A CPU", Cores: 2, Threads: 1, Device: "cpu",
		Proposer: "f", Judge: "g", Precision: "fp32", Preset: "voc", Quick: true, Width: 640, Height: 360,
		MatMul: &benchMatMulReport{GFLOPS: 400.4},
		Models: []benchModel{
			{Name: "trunk", GFLOP: 160.63, Time: 0.4567, BareGFLOPS: 391.2, Share: 0.857},
			{Name: "judge, 1 image", GFLOP: 7.129, Time: 0.0000129},
		},
		ClipMemory: 100 << 20, PeakMemory: 200 << 20,
	}
	const want = `carve 1.0, ONNX Runtime 1.2.3, FFmpeg 7.1, A CPU, 2 cores, 1 thread
f and g, fp32 on cpu, preset voc, image 640×360, quick

Bare MatMul of 1024×1024 by 1024×4096: 400 GFLOP/s

| models         | GFLOP |    time | bare GFLOP/s | share of bare |
| -------------- | ----: | ------: | -----------: | ------------: |
| trunk          |   161 |  457 ms |          391 |          86 % |
| judge, 1 image |  7.13 | 12.9 µs |            – |             – |

shares are relative to the bare matrix products, measured alternately

Peak memory (RSS): 100 MB while segmenting the clip, 200 MB for all of this
`
	var b strings.Builder
	if err := r.print(&b); err != nil {
		t.Fatal(err)
	}
	if b.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", b.String(), want)
	}
}

// TestBenchTableOfAll checks that every part has its table, in the order of the report.
func TestBenchTableOfAll(t *testing.T) {
	r := &benchReport{
		Carve: "1.0", ONNXRuntime: "1.2.3", FFmpeg: "7.1", CPU: "A CPU", Cores: 1, Threads: 2, Device: "cuda",
		Proposer: "f", Judge: "f", Precision: "fp16", Preset: "voc", Compat: true, Random: true, Width: 640, Height: 360,
		Models:  []benchModel{{Name: "trunk", GFLOP: 16.063, Time: 4.567}},
		Loop:    []benchLoop{{Queries: 1, GFLOP: 2, Time: 0.5, Share: 0.5, Outside: 0.125, Judged: 3}, {Queries: 5, GFLOP: 3, Time: 1}},
		Prompts: []benchPrompts{{Masks: 1, Time: 0.001}, {Masks: 5, Time: 0.01}},
		CRF:     []benchCRF{{Labels: 2, Threads: 2, Time: 0.1, TimeOne: 0.19, Speedup: 1.9}},
		Media: []benchMedia{
			{Name: "decode", Width: 1920, Height: 1080, Frames: 100, Time: 1, FPS: 100, FFmpegTime: 0.5, Ratio: 0.5, Command: "ffmpeg -i IN"},
			{Name: "draw", Width: 1920, Height: 1080, Frames: 100, Time: 2, FPS: 50, Drawing: 0.002},
		},
		Clip:       []benchClip{{Memory: "on", Frames: 1, Time: 2, FPS: 0.5, Stages: []benchStage{{Name: "decode", PerFrame: 0.003, Busy: 0.1, Waiting: 0.2, Blocked: 0.3, Queue: 1.5}}}},
		PeakMemory: 200 << 20,
	}
	const want = `carve 1.0, ONNX Runtime 1.2.3, FFmpeg 7.1, A CPU, 1 core, 2 threads
f, fp16 on cuda, preset voc, compat, image 640×360

| models | GFLOP |   time | bare GFLOP/s | share of bare |
| ------ | ----: | -----: | -----------: | ------------: |
| trunk  |  16.1 | 4.57 s |            – |             – |

only fp32 on a CPU has a bare rate

| loop      | GFLOP |   time | share of bare | outside ONNX Runtime | images judged |
| --------- | ----: | -----: | ------------: | -------------------: | ------------: |
| 1 query   |  2.00 | 500 ms |          50 % |               12.5 % |             3 |
| 5 queries |  3.00 | 1.00 s |             – |                0.0 % |             0 |

from pixels to label map, text embeddings cached, one query left after the first stage

| prompts |    time | for each |
| ------- | ------: | -------: |
| 1 mask  | 1.00 ms |  1.00 ms |
| 5 masks | 10.0 ms |  2.00 ms |

| dense CRF | 1 thread | 2 threads | speedup |
| --------- | -------: | --------: | ------: |
| 2 labels  |   190 ms |    100 ms |    1.90 |

lattices, energies and inference for a frame of the clip

| media  | frames/s | ffmpeg frames/s | ratio |    making masks | extra time |
| ------ | -------: | --------------: | ----: | --------------: | ---------: |
| decode |      100 |             200 |  0.50 |               – |          – |
| draw   |       50 |               – |     – | 2.00 ms a frame |          – |

1920×1080, without start-up on both sides; ffmpeg enlarges the same masks and lays two colours over the frames, without outline and legend:

    ffmpeg -i IN

| clip, memory on | a frame |   busy | waiting | blocked | queue |
| --------------- | ------: | -----: | ------: | ------: | ----: |
| decode          | 3.00 ms | 10.0 % |  20.0 % |  30.0 % |  1.50 |

1 frame in 2.00 s: 0.50 frames/s; random weights find nothing, so nothing was refined and drawn

Peak memory (RSS): 200 MB for all of this
`
	var b strings.Builder
	if err := r.print(&b); err != nil {
		t.Fatal(err)
	}
	if b.String() != want {
		t.Errorf("printed\n%s\nwant\n%s", b.String(), want)
	}
	r.Media[0].Command = ""
	b.Reset()
	if err := r.print(&b); err != nil || !strings.Contains(b.String(), "\nthere is no ffmpeg program on the PATH to compare with\n") {
		t.Errorf("without ffmpeg (%v): %s", err, b.String())
	}
}
