package video

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/golden"
)

// TestDecodingTimesOnly checks that frames with decoding times only are shown in even
// steps from the first, even if some packets yield no frame.
func TestDecodingTimesOnly(t *testing.T) {
	made := strings.Fields("-f lavfi -i testsrc2=size=160x120:rate=25:duration=2 -c:v libx264 -g 15 -b_strategy 0 -bf ")
	for name, in := range map[string]string{
		"pyramid":     ffmpeg(t, "in.avi", append(made, "3")...),
		"one":         ffmpeg(t, "in.avi", append(made, "1")...),
		"no B-frames": ffmpeg(t, "in.avi", append(made, "0")...),
	} {
		t.Run(name, func(t *testing.T) {
			r := transcode(t, in, "o.mkv", quick)
			equal(t, "start", seconds(t, r.out)[0], 0)
			checkSpacing(t, r.out, 50, 0.04, nil)
		})
	}
	t.Run("lost", func(t *testing.T) {
		// The time of a packet without a frame is dropped, although maybe not at once.
		in := ffmpeg(t, "in.avi", append(made, "3")...)
		b, err := os.ReadFile(in)
		if err != nil {
			t.Fatal(err)
		}
		pos, err := strconv.Atoi(packets(t, in, "v", "pos")[18])
		if err != nil {
			t.Fatal(err)
		}
		clear(b[pos+8 : pos+60])
		if err := os.WriteFile(in, b, 0o600); err != nil {
			t.Fatal(err)
		}
		r := transcode(t, in, "o.mkv", quick)
		times := seconds(t, r.out)
		if n := len(times); n == 50 || r.damage.Count == 0 {
			t.Fatalf("%d frames, %v: nothing is lost", n, r.damage)
		}
		equal(t, "end", times[len(times)-1], 1.96)
	})
	t.Run("shared", func(t *testing.T) {
		for _, to := range []string{"o.mkv", "o.mp4"} {
			r := transcode(t, filepath.Join(golden.Shared(t, "cases", "video"), "h264b.avi"), to, quick)
			equal(t, to+": start", seconds(t, r.out)[0], 0)
			checkSpacing(t, r.out, 25, 0.04, nil)
		}
	})
}
