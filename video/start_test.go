package video

import (
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/golden"
)

// TestLateStart checks that audio and video stay in sync if the file or one stream
// starts late, even in a container where all streams start at zero.
func TestLateStart(t *testing.T) {
	const both = "-f lavfi -i testsrc2=size=96x64:rate=25:duration=2 -itsoffset %a -f lavfi -i sine=duration=2 -map 0 -map 1 -c:v libx264 -c:a %c "
	args := func(video, audio, codec, file string) []string {
		return append([]string{"-itsoffset", video}, strings.Fields(strings.NewReplacer("%a", audio, "%c", codec).Replace(both)+"-output_ts_offset "+file)...)
	}
	for _, c := range []struct {
		name, from string
		args       []string
	}{
		{"both", "in.ts", args("0", "0", "mp2", "3")},
		{"audio first", "in.mkv", args("0.6", "0", "mp2", "1")},
		{"video first", "in.mkv", args("0", "0.6", "mp2", "1")},
		{"video first, AAC", "in.mkv", args("0", "0.6", "aac", "1")},
		{"video first, PCM", "in.mkv", args("0", "0.6", "pcm_s16le", "0")},
		{"audio first, PCM", "in.mkv", args("0.6", "0", "pcm_s16le", "0")},
	} {
		in := ffmpeg(t, c.from, c.args...)
		for _, to := range []string{"o.avi", "o.mp4", "o.mkv", "o.ts", "o.nut"} {
			if to != "o.avi" && to != "o.mkv" && strings.Contains(c.name, "PCM") {
				continue
			}
			t.Run(c.name+" "+to, func(t *testing.T) {
				t.Parallel()
				checkSync(t, in, to)
			})
		}
	}
	t.Run("shared", func(t *testing.T) {
		checkSync(t, filepath.Join(golden.Shared(t, "cases", "video"), "start0.ts"), "o.avi")
	})
}

// checkSync compares the time from the first frame to the first audio.
func checkSync(t *testing.T, in, to string) {
	t.Helper()
	r := transcode(t, in, to, quick)
	first := func(path, stream string) float64 {
		l := packets(t, path, stream, "pts_time")
		if len(l) == 0 || l[0] == "N/A" {
			l = packets(t, path, stream, "dts_time")
		}
		x, err := strconv.ParseFloat(l[0], 64)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	want := first(in, "a") - seconds(t, in)[0]
	got := first(r.out, "a") - seconds(t, r.out)[0]
	if d := got - want; d < -0.041 || d > 0.041 {
		t.Errorf("%s: the audio starts %.3f s after the video, want %.3f\n%s", to, got, want, r.log.all())
	}
	equal(t, "frames", len(seconds(t, r.out)), len(seconds(t, in)))
	if len(r.lost) != 0 {
		t.Errorf("lost %v", r.lost)
	}
	times := seconds(t, r.out)
	if d := times[1] - times[0]; d > 0.05 {
		t.Errorf("the second frame comes %.3f s after the first", d)
	}
}
