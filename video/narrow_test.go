package video

import "testing"

// TestNarrowFFV1: FFV1 as mattes have it takes frames that are too narrow for two columns of
// slices.
func TestNarrowFFV1(t *testing.T) {
	for size, format := range map[string]string{"1x90": "gray", "2x90": "yuv420p"} {
		in := ffmpeg(t, "in.mkv", "-f", "lavfi", "-i", "testsrc2=size=16x90:rate=25:duration=0.1",
			"-vf", "crop="+size[:1]+":90:8:0:exact=1,format="+format, "-c:v", "rawvideo")
		r := transcode(t, in, "out.mkv", func(_ *Source, s *Sink) { s.Encoder, s.Options = "ffv1", map[string]string{"level": "3"} })
		md5 := func(path string) string { return output(t, "ffmpeg", "-v", "error", "-i", path, "-f", "md5", "-") }
		equal(t, size, md5(r.out), md5(in))
	}
}
