package video

import (
	"path/filepath"
	"testing"

	"github.com/carve-video/carve/internal/golden"
)

// TestLongPauses checks that a frame that is shown for long keeps its time, however
// small the ticks of the file are.
func TestLongPauses(t *testing.T) {
	const n = 30
	pause := func(base, seconds, every string) []string {
		return []string{"-f", "lavfi", "-i", "testsrc2=size=64x48:rate=30:duration=1",
			"-vf", "settb=1/" + base + ",setpts='PTS+floor(N/" + every + ")*" + seconds + "/TB'", "-fps_mode", "passthrough",
			"-enc_time_base", "1/" + base, "-c:v", "libx264", "-bf", "0"}
	}
	for _, c := range []struct {
		name, from, to       string
		base, seconds, every string
	}{
		{"ten million", "in.mp4", "o.mp4", "10000000", "30", "20"},
		{"to QuickTime", "in.mp4", "o.mov", "10000000", "30", "20"},
		{"one after the other", "in.nut", "o.mp4", "1000000", "300", "3"},
		{"longer than a step", "in.nut", "o.mp4", "10000000", "500", "20"},
		{"nanoseconds", "in.nut", "o.mp4", "1000000000", "3", "10"},
		{"an hour", "in.mp4", "o.mp4", "90000", "3600", "20"},
		{"every frame", "in.mp4", "o.mp4", "1000000", "300", "1"},
		{"to Matroska", "in.mp4", "o.mkv", "10000000", "30", "20"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			args := pause(c.base, c.seconds, c.every)
			if filepath.Ext(c.from) == ".mp4" {
				args = append(args, "-video_track_timescale", c.base)
			}
			in := ffmpeg(t, c.from, args...)
			if got := len(timestamps(t, in, "pts")); got != n {
				t.Fatalf("the clip has %d frames", got)
			}
			keepsTimes(t, in, c.to)
			if c.name == "ten million" {
				keepsTimes(t, in, c.to, func(_ *Source, s *Sink) { s.Encoder = "libx265" })
			}
		})
	}
	t.Run("shared", func(t *testing.T) {
		for _, to := range []string{"o.mp4", "o.mov", "o.mkv"} {
			keepsTimes(t, filepath.Join(golden.Shared(t, "cases", "video"), "vfr_gap_30s_timescale_1e7.mp4"), to)
		}
	})
}

func keepsTimes(t *testing.T, in, to string, how ...func(*Source, *Sink)) {
	t.Helper()
	r := transcode(t, in, to, how...)
	want, got := timestamps(t, in, "best_effort_timestamp_time"), timestamps(t, r.out, "best_effort_timestamp_time")
	within := 0.000002
	if to == "o.mkv" {
		within = 0.0006
	}
	sameWithin(t, to+": times", got, want, within)
	if r.damage.Count != 0 || len(r.lost) != 0 {
		t.Errorf("%s: %v, %v", to, r.damage, r.lost)
	}
	if d, _, err := damageOf(r.out, true); d.Count != 0 || err != nil {
		t.Errorf("%s: reading it back: %v, %v", to, d, err)
	}
}
