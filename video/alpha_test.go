package video

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

// alphaOf returns the mean alpha of the first frame of a file, read with the named
// decoder; 255 is opaque.
func alphaOf(t *testing.T, decoder, path string) float64 {
	t.Helper()
	args := []string{"-v", "error"}
	if decoder != "" {
		args = append(args, "-c:v", decoder)
	}
	out := output(t, "ffmpeg", append(args, "-i", path, "-frames:v", "1", "-vf", "format=rgba,alphaextract", "-f", "rawvideo", "-pix_fmt", "gray", "-")...)
	sum := 0
	for _, b := range []byte(out) {
		sum += int(b)
	}
	return float64(sum) / float64(len(out))
}

func parts(lost []Loss) (names []string) {
	for _, l := range lost {
		names = append(names, l.What())
	}
	return names
}

// TestAlpha checks that alpha is kept if the encoder and the container can, that its
// loss is reported if not, and that the tag for it is right.
func TestAlpha(t *testing.T) {
	const half, full = "testsrc2=size=64x48:rate=25:duration=0.12:alpha=100,format=rgba", "testsrc2=size=64x48:rate=25:duration=0.12,format=rgba"
	for _, c := range []struct {
		clip, in      string
		make          []string
		decoder       string // of the output
		to, encoder   string
		kept, unnamed bool // unnamed: there is nothing to lose, so no loss is reported
	}{
		{clip: half, in: "in.webm", make: []string{"-c:v", "libvpx-vp9", "-cpu-used", "8", "-pix_fmt", "yuva420p"}, to: "o.webm", decoder: "libvpx-vp9", kept: true},
		{clip: half, in: "in.webm", make: []string{"-c:v", "libvpx", "-auto-alt-ref", "0", "-pix_fmt", "yuva420p"}, to: "o.webm", encoder: "libvpx", decoder: "libvpx", kept: true},
		{clip: half, in: "in.webm", make: []string{"-c:v", "libvpx-vp9", "-cpu-used", "8", "-pix_fmt", "yuva420p"}, to: "o.mkv"},
		{clip: half, in: "in.webm", make: []string{"-c:v", "libvpx-vp9", "-cpu-used", "8", "-pix_fmt", "yuva420p"}, to: "o.mp4", encoder: "libvpx-vp9"},
		{clip: half, in: "in.mov", make: []string{"-c:v", "prores_ks", "-pix_fmt", "yuva444p10le"}, to: "o.mov", encoder: "prores_ks", kept: true},
		{clip: half, in: "in.mov", make: []string{"-c:v", "prores_ks", "-pix_fmt", "yuva444p10le"}, to: "o.mov"},
		{clip: half, in: "in.mov", make: []string{"-c:v", "png"}, to: "o.mov", encoder: "png", kept: true},
		{clip: half, in: "in.mov", make: []string{"-c:v", "qtrle"}, to: "o.nut", kept: true},
		{clip: half, in: "in.png", make: []string{"-frames:v", "1"}, to: "o.png", kept: true},
		{clip: half, in: "in.png", make: []string{"-frames:v", "1"}, to: "o.jpg"},
		{clip: full, in: "in.png", make: []string{"-frames:v", "1"}, to: "o.jpg", unnamed: true},
		{clip: full, in: "in.mov", make: []string{"-c:v", "png"}, to: "o.mp4", unnamed: true},
	} {
		t.Run(c.in+strings.Join(c.make, "")+c.to+c.encoder, func(t *testing.T) {
			t.Parallel()
			in := ffmpeg(t, c.in, append([]string{"-f", "lavfi", "-i", c.clip}, c.make...)...)
			r := transcode(t, in, c.to, func(_ *Source, s *Sink) { s.Encoder = c.encoder })
			named := slices.ContainsFunc(r.lost, func(l Loss) bool { return l.Part == "alpha" && !l.Minor })
			if named != (!c.kept && !c.unnamed) || len(r.lost) > 1 {
				t.Errorf("lost %+v", r.lost)
			}
			if c.kept {
				if got := alphaOf(t, c.decoder, r.out); math.Abs(got-100) > 6 {
					t.Errorf("mean alpha %.1f, it was 100", got)
				}
			}
			tag := ""
			for k, v := range ffprobe(t, r.out).Streams[0].Tags {
				if strings.EqualFold(k, "alpha_mode") {
					tag = v
				}
			}
			if want := map[bool]string{true: "1"}[c.kept && strings.HasPrefix(c.decoder, "libvpx")]; tag != want {
				t.Errorf("alpha_mode is %q, want %q", tag, want)
			}
		})
	}
}

// TestCover checks that the cover of an audio file is an image, and not a video.
func TestCover(t *testing.T) {
	cover := ffmpeg(t, "cover.png", "-f", "lavfi", "-i", "testsrc=size=40x40:duration=0.04:rate=25", "-frames:v", "1")
	in := ffmpeg(t, "in.flac", "-f", "lavfi", "-i", "sine=duration=0.4", "-i", cover, "-map", "0", "-map", "1", "-c:v", "copy", "-disposition:v", "attached_pic")
	r := transcode(t, in, "o.png")
	if s := ffprobeStill(t, r.out); s.Width != 40 || s.Height != 40 {
		t.Errorf("%+v", s)
	}
	for _, to := range []string{"o.mp4", "o.mkv", "o.ts"} {
		if err := CheckOutput(to, "", "", r.info); !errors.Is(err, ErrCover) {
			t.Errorf("%s: %v", to, err)
		}
	}
}
