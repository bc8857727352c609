package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// benchJSON checks the object that "carve bench --json" printed: "benchjson stdout".
// Every part must be there, with positive figures; their size depends on the machine.
func benchJSON(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: benchjson FILE")
	}
	var r map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &r))
	if r["message_type"] != "bench" {
		ts.Fatalf("message_type is %v", r["message_type"])
	}
	for _, key := range []string{"carve", "onnx_runtime", "ffmpeg", "cpu", "device", "proposer", "judge", "precision", "preset"} {
		if s, _ := r[key].(string); s == "" {
			ts.Fatalf("%s is %v, want a name", key, r[key])
		}
	}
	positive := func(name string, of any, keys ...string) {
		m, _ := of.(map[string]any)
		for _, key := range keys {
			if v, ok := m[key].(float64); !ok || v <= 0 {
				ts.Fatalf("%s: %s is %v, want a number above 0", name, key, m[key])
			}
		}
	}
	positive("the whole", r, "cores", "threads", "picture_width", "picture_height")
	positive("matmul", r["matmul"], "gflops")
	media := []string{"width", "height", "frames", "time_s", "frames_per_second"}
	for _, part := range []struct {
		name string
		rows int
		keys []string
	}{
		{"models", 6, []string{"gflop", "time_s", "bare_gflops", "share_of_bare"}},
		{"loop", 3, []string{"queries", "gflop", "time_s", "share_of_bare", "outside_onnx_runtime", "pictures_judged"}},
		{"prompts", 3, []string{"masks", "time_s"}},
		{"crf", 3, []string{"labels", "threads", "time_s", "one_thread_time_s", "speedup"}},
		{"media", 6, media},
		{"clip", 2, []string{"frames", "time_s", "frames_per_second"}},
	} {
		rows, _ := r[part.name].([]any)
		if len(rows) != part.rows {
			ts.Fatalf("%s has %d rows, want %d", part.name, len(rows), part.rows)
		}
		for i, row := range rows {
			positive(fmt.Sprintf("%s %d", part.name, i), row, part.keys...)
		}
		if part.name != "clip" {
			continue
		}
		for _, row := range rows {
			stages, _ := row.(map[string]any)["stages"].([]any)
			var names []string
			for _, s := range stages {
				name, _ := s.(map[string]any)["name"].(string)
				names = append(names, name)
				positive("a stage", s, "busy_s_per_frame", "busy")
				if _, ok := s.(map[string]any)["queue"].(float64); !ok {
					ts.Fatalf("a stage has no queue: %v", s)
				}
			}
			if want := "decode prepare motion prefetch track propagate layers overlay progress"; strings.Join(names, " ") != want {
				ts.Fatalf("the clip has the stages %q, want %q", names, want)
			}
		}
	}
}
