package video

import (
	"os"
	"strings"
	"testing"
)

// TestNames checks that a file name is taken literally, even if FFmpeg would see a
// protocol, a numbered series or a pattern in it.
func TestNames(t *testing.T) {
	clip := ffmpeg(t, "in.mp4", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10:duration=0.5", "-c:v", "libx264")
	still := ffmpeg(t, "in.png", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10:duration=0.1", "-frames:v", "1", "-update", "1")
	for _, stem := range []string{
		"12:30", "file:x", "file:file:x", "concat:a|b", "http:", "http://host/x", "pipe:1", "-", "-i", "--", "%d", "%03d", "a[12]", "*", "?{a,b}",
		`it's`, `"quoted"`, `back\slash`, "new\nline", "tab\tand\x1b[31mcolour", " ", "ü 漢字", "caf\xe9 \xff", "a,b;c=d#e&f", "$HOME", "~", ".hidden",
		strings.Repeat("x", 250), strings.Repeat("ü", 125),
	} {
		stem = strings.ReplaceAll(stem, "/", "∕")
		for _, c := range []struct{ in, ext string }{{clip, ".mp4"}, {clip, ".ts"}, {still, ".png"}} {
			t.Run(stem+c.ext, func(t *testing.T) {
				t.Chdir(t.TempDir())
				name, plain := stem+c.ext, "plain"+c.ext
				b, err := os.ReadFile(c.in)
				if err != nil {
					t.Fatal(err)
				}
				if c.ext != ".ts" { // those are only written
					if err := os.WriteFile(name, b, 0o644); err != nil {
						t.Fatal(err)
					}
					r := &run{in: name, out: plain}
					if err := r.do(t.Context(), func(*Frame) error { return nil }); err != nil {
						t.Fatalf("reading it: %v", err)
					}
					if err := os.Remove(name); err != nil {
						t.Fatal(err)
					}
				} else {
					plain = c.in
				}
				r := &run{in: plain, out: name}
				if err := r.do(t.Context(), func(*Frame) error { return nil }); err != nil {
					t.Fatalf("writing it: %v", err)
				}
				if err := os.Rename(name, "again"+c.ext); err != nil {
					t.Fatalf("it has another name: %v", err)
				}
				want := 5
				if c.in == still {
					want = 1
				}
				if n, err := read(t, "again"+c.ext, false); err != nil || n != want {
					t.Errorf("%d frames, %v, want %d", n, err, want)
				}
			})
		}
	}
}
