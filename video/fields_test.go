package video

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/golden"
)

// TestFieldOrder checks that the field order is kept, in the frames if the encoder can
// code fields, and in the container.
func TestFieldOrder(t *testing.T) {
	made := func(name, size, scan string, args ...string) string {
		return ffmpeg(t, name, append([]string{"-f", "lavfi", "-i", "testsrc2=size=" + size + ":rate=50:duration=0.4", "-vf", "interlace=scan=" + scan,
			"-flags", "+ilme+ildct"}, args...)...)
	}
	for _, c := range []struct{ name, in, first string }{
		{"bottom first", made("in.ts", "160x128", "bff", "-c:v", "mpeg2video"), "b"},
		{"top first", made("in.ts", "160x128", "tff", "-c:v", "mpeg2video"), "t"},
		{"486 lines, 4:2:2", made("in.mov", "96x486", "bff", "-c:v", "prores_ks", "-pix_fmt", "yuv422p10le"), "b"},
		{"486 lines, 4:2:2, top first", made("in.mkv", "96x486", "tff", "-c:v", "mpeg2video", "-pix_fmt", "yuv422p"), "t"},
	} {
		for _, to := range []string{"o.mp4", "o.mov", "o.mkv"} {
			t.Run(c.name+" "+to, func(t *testing.T) { sameFields(t, transcode(t, c.in, to, quick), c.first) })
		}
	}
	t.Run("x264-params", func(t *testing.T) {
		in := made("in.ts", "160x128", "bff", "-c:v", "mpeg2video")
		sameFields(t, transcode(t, in, "o.mp4", func(_ *Source, s *Sink) { s.Options = map[string]string{"x264-params": "bframes=1"} }), "b")
	})
	t.Run("486 lines, 4:2:0", func(t *testing.T) {
		// H.264 cannot have such fields; the frames stay as they are.
		r := transcode(t, made("in.ts", "96x486", "bff", "-c:v", "mpeg2video"), "o.mkv", lossless)
		equal(t, "warnings", r.log.count("cannot code fields"), 1)
		sameList(t, "frames", frameHashes(t, r.out), frameHashes(t, r.in))
	})
	t.Run("shared", func(t *testing.T) {
		for _, to := range []string{"o.mp4", "o.mov", "o.mkv"} {
			sameFields(t, transcode(t, filepath.Join(golden.Shared(t, "cases", "video"), "bff.mp4"), to, quick), "b")
		}
	})
}

func sameFields(t *testing.T, r *run, first string) {
	t.Helper()
	if got := ffprobe(t, r.out).Streams[0].FieldOrder; got == "" || got[:1] != first {
		t.Errorf("%s: field order %q, want %s first", filepath.Base(r.out), got, first)
	}
	fields := func(path string) []string {
		out := output(t, "ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "frame=interlaced_frame,top_field_first", "-of", "csv=p=0", path)
		return slices.DeleteFunc(strings.Split(strings.ReplaceAll(out, ",\n", "\n"), "\n"), func(l string) bool { return !strings.Contains(l, ",") })
	}
	sameList(t, "fields of frames", fields(r.out), fields(r.in))
	equal(t, "warnings", r.log.count("cannot code fields"), 0)
}
