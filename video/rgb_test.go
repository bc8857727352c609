package video

import "testing"

// TestRGB checks that RGB becomes a file that players show, unless the encoding is
// lossless or the encoder is one of RGB, and that the loss of chroma resolution is
// logged.
func TestRGB(t *testing.T) {
	const w, h = 320, 240
	in := func(name, codec, format string, more ...string) string {
		return ffmpeg(t, name, append([]string{"-f", "lavfi", "-i", "smptebars=size=320x240:rate=25:duration=0.12",
			"-c:v", codec, "-pix_fmt", format}, more...)...)
	}
	gif, rgb, deep := in("in.gif", "gif", "pal8", "-vf", "split[a][b];[a]palettegen[p];[b][p]paletteuse=dither=none"), in("in.mkv", "ffv1", "gbrp"), in("in.mkv", "ffv1", "gbrp10le")
	full := in("in.mp4", "libx264", "yuv444p")
	for _, c := range []struct {
		name, in, to, encoder, want string
		how                         func(*Source, *Sink)
		said                        int
	}{
		{"a GIF", gif, "o.mp4", "", "yuv420p", quick, 1},
		{"RGB", rgb, "o.mov", "", "yuv420p", quick, 1},
		{"RGB", rgb, "o.mkv", "libx265", "yuv420p", quick, 1},
		{"10 bits", deep, "o.mkv", "", "yuv420p10le", quick, 1},
		{"one frame", in("in.png", "png", "rgb24", "-frames:v", "1", "-update", "1"), "o.mp4", "", "yuv420p", quick, 1},
		{"without loss", rgb, "o.mp4", "", "yuv444p", lossless, 0},
		{"as RGB", rgb, "o.mkv", "libx264rgb", "gbrp", quick, 0},
		{"RGB in FFV1", rgb, "o.mkv", "ffv1", "bgr0", quick, 0},
		{"what was 4:4:4", full, "o.mp4", "", "yuv444p", quick, 0},
	} {
		t.Run(c.name+" "+c.to, func(t *testing.T) {
			r := transcode(t, c.in, c.to, c.how, func(_ *Source, s *Sink) { s.Encoder = c.encoder })
			equal(t, "format", ffprobe(t, r.out).Streams[0].PixFmt, c.want)
			equal(t, "warnings", r.log.count("half the resolution of colours"), c.said)
			if d := difference(rawRGB(t, r.out, w, h), rawRGB(t, c.in, w, h)); d > 5 {
				t.Errorf("mean difference %.1f", d)
			}
		})
	}
}
