package video

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/carve-video/carve/internal/golden"
)

// seconds returns the presentation times of a file's frames.
func seconds(t testing.TB, path string) (list []float64) {
	t.Helper()
	for _, s := range timestamps(t, path, "best_effort_timestamp_time") {
		x, err := strconv.ParseFloat(s, 64)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, x)
	}
	return list
}

// checkSpacing checks the number of frames and that they are a step apart, except for
// gaps, which are given by the index of the frame after them.
func checkSpacing(t *testing.T, path string, frames int, step float64, gaps map[int]float64) {
	t.Helper()
	times := seconds(t, path)
	equal(t, filepath.Ext(path)+": frames", len(times), frames)
	for i := 1; i < len(times); i++ {
		want, ok := gaps[i]
		if !ok {
			want = step
		}
		if d := times[i] - times[i-1]; d < want-0.0011 || d > want+0.0011 {
			t.Errorf("%s: frame %d comes %.4f s after the one before, want %.4f", filepath.Ext(path), i, d, want)
			return
		}
	}
}

// joined concatenates files, as recorders and cat do.
func joined(t *testing.T, name string, parts ...string) string {
	t.Helper()
	var all []byte
	for _, p := range parts {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, all, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// clockParts makes transport streams of two seconds whose clocks start at the offsets.
func clockParts(t *testing.T, offsets ...string) (paths []string) {
	t.Helper()
	one := ffmpeg(t, "one.mkv", "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=2", "-f", "lavfi", "-i", "sine=duration=2",
		"-c:v", "libx264", "-c:a", "aac")
	for _, o := range offsets {
		paths = append(paths, ffmpeg(t, "part.ts", "-i", one, "-c", "copy", "-output_ts_offset", o))
	}
	return paths
}

// TestClockJumps checks that times continue, for audio and video alike, if the clock of
// a file jumps in either direction.
func TestClockJumps(t *testing.T) {
	for name, offsets := range map[string][]string{
		"back":                 {"5000", "0"},
		"back, the other wrap": {"0", "5000", "0"},
		"ahead":                {"0", "5000"},
		"ahead by 20 s":        {"0", "22"},
		"back and ahead":       {"100", "50", "1000"},
		"wraps, then jumps":    {"95440", "300"},
		"jumps, then wraps":    {"300", "95442"},
		"back over the start":  {"5000", "4938.5", "4940.5"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			continues(t, joined(t, "in.ts", clockParts(t, offsets...)...), 50*len(offsets), "o.mp4")
		})
	}
	t.Run("shared", func(t *testing.T) {
		t.Parallel()
		continues(t, filepath.Join(golden.Shared(t, "cases", "video"), "ts_down_5000s.ts"), 100, "o.mkv", "o.mp4", "o.ts")
	})
}

// TestPauseOfOneStream checks that a pause in only the audio or only the video is kept,
// and not taken for a jump of the clock.
func TestPauseOfOneStream(t *testing.T) {
	clip := []string{"-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=2", "-f", "lavfi", "-i", "sine=duration=24",
		"-vf", "setpts='PTS+gte(N,25)*20/TB'", "-fps_mode", "passthrough", "-c:v", "libx264", "-bf", "0", "-c:a", "mp2"}
	in := ffmpeg(t, "in.ts", clip...)
	r := transcode(t, in, "o.mkv", quick)
	checkSpacing(t, r.out, 50, 0.04, map[int]float64{25: 20.04})
	equal(t, "packets of audio", len(packets(t, r.out, "a", "pts")), len(packets(t, in, "a", "pts")))
	equal(t, "jumps", r.log.count("timestamps "), 0)
}

func continues(t *testing.T, in string, frames int, outputs ...string) {
	t.Helper()
	audioPackets := len(packets(t, in, "a", "pts"))
	for _, to := range outputs {
		r := transcode(t, in, to, quick)
		times := seconds(t, r.out)
		equal(t, to+": frames", len(times), frames)
		for i := 1; i < len(times); i++ {
			// At a joint there may be a gap as long as the audio exceeds the video.
			if d := times[i] - times[i-1]; d < 0.005 || d > 0.2 {
				t.Errorf("%s: frame %d comes %.3f s after the one before", to, i, d)
				break
			}
		}
		var last float64
		list := packets(t, r.out, "a", "pts_time")
		equal(t, to+": packets of audio", len(list), audioPackets)
		for i, s := range list {
			x, _ := strconv.ParseFloat(s, 64)
			if d := x - last; i > 0 && (d < 0 || d > 0.2) {
				t.Errorf("%s: packet %d of audio comes %.3f s after the one before", to, i, d)
			}
			last = x
		}
		if d := times[len(times)-1] - last; d < -0.3 || d > 0.3 {
			t.Errorf("%s: the video ends %.3f s after the audio", to, d)
		}
		if r.damage.Count != 0 || len(r.lost) != 0 {
			t.Errorf("%s: %v, %v", to, r.damage, r.lost)
		}
		if r.log.count("timestamps ") == 0 {
			t.Errorf("%s: the jump is not logged:\n%s", to, r.log.all())
		}
	}
}
