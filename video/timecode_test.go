package video

import (
	"path/filepath"
	"testing"

	"github.com/carve-video/carve/internal/golden"
)

// TestTimecodes: a time code that no track can hold does not cost the film.
func TestTimecodes(t *testing.T) {
	film := func(rate string, more ...string) []string {
		return append([]string{"-f", "lavfi", "-i", "testsrc2=size=64x48:rate=" + rate + ":duration=0.2", "-c:v", "libx264"}, more...)
	}
	ins := map[string]string{
		"300 frames a second": ffmpeg(t, "in.mkv", film("300", "-metadata", "timecode=00:00:00:00")...),
		"of the stream":       ffmpeg(t, "in.mkv", film("300", "-metadata:s:v", "timecode=00:00:00:00")...),
		"one frame":           ffmpeg(t, "in.mov", film("25", "-frames:v", "1", "-metadata:s:v", "timecode=10:00:00:00")...),
		"one short frame": ffmpeg(t, "in.mkv", film("25", "-vf", "settb=1/90000", "-frames:v", "1", "-bsf:v", "setts=duration=1",
			"-metadata:s:v", "timecode=10:00:00:00")...),
		"no time code":     ffmpeg(t, "in.mkv", film("25", "-metadata", "timecode=early")...),
		"drop frame at 25": ffmpeg(t, "in.mkv", film("25", "-metadata", "timecode=00:00:01;00")...),
	}
	for name, in := range ins {
		for _, to := range []string{"o.mp4", "o.mov"} {
			t.Run(name+" "+to, func(t *testing.T) {
				r := transcode(t, in, to, quick)
				equal(t, "frames", len(timestamps(t, r.out, "pts")), len(timestamps(t, in, "pts")))
				if len(r.lost) != 0 {
					t.Errorf("lost %v", r.lost)
				}
				said, there := r.log.count("time code is left out"), ""
				if tag := ffprobe(t, r.out).Streams[0].Tags["timecode"]; tag != "" {
					there = tag
				}
				if (said == 1) == (there != "") {
					t.Errorf("%q is there, and it is said %d times that it is not", there, said)
				}
			})
		}
	}
	t.Run("shared", func(t *testing.T) {
		r := transcode(t, filepath.Join(golden.Shared(t, "cases", "video"), "tc300fps.mkv"), "o.mp4", quick)
		equal(t, "frames", len(timestamps(t, r.out, "pts")), len(timestamps(t, r.in, "pts")))
	})
}
