package video

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// TestAnimatedWebP checks that a format which FFmpeg cannot read is not called damaged.
func TestAnimatedWebP(t *testing.T) {
	ivf, err := os.ReadFile(ffmpeg(t, "one.ivf", "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=10:duration=0.1", "-c:v", "libvpx"))
	if err != nil {
		t.Fatal(err)
	}
	const frameAt = 32 + 12 // after the headers of the file and of the frame
	chunk := func(kind string, data ...byte) []byte {
		b := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(data)))
		return append(append(b, data...), make([]byte, len(data)%2)...)
	}
	image := chunk("VP8 ", ivf[frameAt:]...)
	riff := func(chunks ...[]byte) string {
		body := []byte("WEBP")
		for _, c := range chunks {
			body = append(body, c...)
		}
		path := filepath.Join(t.TempDir(), "in.webp")
		if err := os.WriteFile(path, chunk("RIFF", body...), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	size := []byte{95, 0, 0, 63, 0, 0} // minus one
	frame := chunk("ANMF", append(append(append(make([]byte, 6), size...), 100, 0, 0, 2), image...)...)
	animated := riff(chunk("VP8X", append([]byte{2, 0, 0, 0}, size...)...), chunk("ANIM", make([]byte, 6)...), frame, frame)
	if d, _, err := damageOf(animated, false); err == nil {
		if d.Count != 0 { // newer FFmpeg reads them
			t.Errorf("%v", d)
		}
	} else if !errors.Is(err, ErrUnsupportedCodec) {
		t.Errorf("%v", err)
	}
	checkIntact(t, riff(image))
}
