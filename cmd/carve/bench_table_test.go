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
			{Name: "judge, 1 picture", GFLOP: 7.129, Time: 0.0000129},
		},
		ClipMemory: 100 << 20, PeakMemory: 200 << 20,
	}
	const want = `carve 1.0, ONNX Runtime 1.2.3, FFmpeg 7.1, A CPU, 2 cores, 1 thread
f and g, fp32 on cpu, preset voc, picture 640×360, quick

Bare MatMul of 1024×1024 by 1024×4096: 400 GFLOP/s

| models           | GFLOP |    time | bare GFLOP/s | share of bare |
| ---------------- | ----: | ------: | -----------: | ------------: |
| trunk            |   161 |  457 ms |          391 |          86 % |
| judge, 1 picture |  7.13 | 12.9 µs |            – |             – |

shares are of the same matrix products done bare, in turn

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
