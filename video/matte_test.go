package video

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// codedMask is a mask that says which frame it is of: eight columns are the bits of the
// index, and below them is a ramp of all values.
func codedMask(index int64, w, h int) []uint8 {
	mask := make([]uint8, w*h)
	for y := range h {
		for x := range w {
			switch {
			case y >= h/2:
				mask[y*w+x] = uint8(x * 255 / (w - 1))
			case index>>(x*8/w)&1 == 1:
				mask[y*w+x] = 255
			}
		}
	}
	return mask
}

// matteOf writes a matte of a file, with the masks of codedMask.
func matteOf(t testing.TB, in, name string, o MatteOptions, set ...func(*Sink)) *run {
	t.Helper()
	r := &run{in: in, out: filepath.Join(t.TempDir(), name)}
	src := &Source{Path: in, Log: r.log.logger(slog.LevelInfo)}
	if err := src.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	format, err := o.Format(r.out)
	if err != nil {
		t.Fatal(err)
	}
	m := &MatteMaker{Source: src.Info(), Format: format, Threads: 2}
	if err := m.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	r.info = m.Info()
	sink := &Sink{Path: r.out, Source: src, FrameInfo: &r.info, VideoOnly: true, Encoder: format.Encoder, Options: format.Options,
		Preset: "ultrafast", Log: r.log.logger(slog.LevelInfo)}
	for _, f := range set {
		f(sink)
	}
	if err := sink.Try(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if err := sink.Initialize(); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	defer sink.Abort()
	ctx := context.Background()
	for {
		f, err := src.Read(ctx)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		made, err := m.Make(f, codedMask(f.Index, r.info.Width, r.info.Height))
		if err != nil {
			t.Fatal(err)
		}
		if err := sink.Encode(ctx, made); err != nil {
			t.Fatal(err)
		}
		made.Release()
		f.Release()
	}
	if r.frames = sink.Frames(); m.pool.made > matteFrames || r.frames > 40 && len(m.pool.spares) > 30 {
		t.Errorf("%d frames were made in %d slots and %d spares", r.frames, m.pool.made, len(m.pool.spares))
	}
	if err := sink.Finish(); err != nil {
		t.Fatalf("%s: %v\n%s", name, err, r.log.all())
	}
	r.lost = sink.Lost()
	return r
}

// raw decodes a file to raw frames of a pixel format, as they are coded.
func raw(t testing.TB, path, format, decoder string) []byte {
	t.Helper()
	args := []string{"-v", "error", "-noautorotate"}
	if decoder != "" {
		args = append(args, "-c:v", decoder)
	}
	return []byte(output(t, "ffmpeg", append(args, "-i", path, "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", format, "-")...))
}

// TestMatteLinesUp: the n-th frame of a matte has the time and the mask of the n-th frame
// of the source, for every codec and the sources that are hard to follow.
func TestMatteLinesUp(t *testing.T) {
	if testing.Short() {
		t.Skip("it has no goroutines of its own")
	}
	clip := []string{"-f", "lavfi", "-i", "testsrc2=size=66x48:rate=24000/1001:duration=0.5"}
	odd := []string{"-f", "lavfi", "-i", "testsrc2=size=65x47:rate=25:duration=0.4"}
	x264 := []string{"-c:v", "libx264", "-preset", "veryfast", "-bf", "3", "-pix_fmt", "yuv420p"}
	rotated := ffmpeg(t, "in.mp4", slices.Concat(clip, x264)...)
	ins := map[string]string{
		"B-frames that start late": ffmpeg(t, "in.mov", slices.Concat(clip, []string{"-vf", "setpts=PTS+3/TB,setsar=4/3"}, x264, []string{"-metadata:s:v", "timecode=10:00:00:00"})...),
		"variable rate":            ffmpeg(t, "in.mkv", slices.Concat(clip, []string{"-vf", "setpts='PTS+floor(N/3)*0.13/TB'", "-fps_mode", "vfr"}, x264)...),
		"rotated":                  ffmpeg(t, "in.mp4", "-display_rotation", "90", "-i", rotated, "-c", "copy"),
		"odd":                      ffmpeg(t, "in.mkv", append(odd, "-c:v", "ffv1", "-pix_fmt", "yuv420p")...),
	}
	for name, in := range ins {
		for _, c := range []struct {
			to              string
			o               MatteOptions
			codec, pixels   string
			decode, decoder string
			near            int // how far a value may be off
		}{
			{"o.mov", MatteOptions{}, "prores", "yuva444p12le", "", "", 0},
			{"o.mov", MatteOptions{Codec: "qtrle", Alpha: Premultiplied}, "qtrle", "argb", "", "", 0},
			{"o.mov", MatteOptions{Codec: "png"}, "png", "rgba", "", "", 0},
			{"o.webm", MatteOptions{}, "vp9", "yuva420p", "", "libvpx-vp9", 12},
			{"o.mkv", MatteOptions{Bits: 16}, "ffv1", "gray16le", "gray", "", 0},
			{"o.mp4", MatteOptions{}, "h264", "yuv420p", "gray", "", 1},
		} {
			t.Run(name+" "+c.codec, func(t *testing.T) {
				t.Parallel()
				var quality func(*Sink) = func(s *Sink) { s.Lossless = c.codec == "h264" }
				r := matteOf(t, in, c.to, c.o, quality)
				checkMatteTimes(t, r)
				w, h := r.info.Width, r.info.Height
				p := ffprobe(t, r.out).Streams[0]
				if pw, ph := evenSize("libx264", r.info.format, w, h); c.codec == "h264" {
					w, h = pw, ph
				}
				equal(t, "size", fmt.Sprint(p.Width, "x", p.Height), fmt.Sprint(w, "x", h))
				equal(t, "codec", p.Codec, c.codec)
				if c.codec != "vp9" { // ffprobe reads it without its alpha
					equal(t, "pixel format", p.PixFmt, c.pixels)
				}
				decode := c.decode
				if decode == "" {
					decode = c.pixels
				}
				if decode == "yuva444p12le" {
					decode = "yuva444p10le"
				}
				checkMasks(t, r, alphaPlanes(t, raw(t, r.out, decode, c.decoder), decode, w, h), w, c.near)
				if len(r.lost) > 0 {
					t.Errorf("lost %+v", r.lost)
				}
			})
		}
	}
}

// checkMatteTimes compares times, length, shape of pixels, rotation and time code with
// the source.
func checkMatteTimes(t *testing.T, r *run) {
	t.Helper()
	a, b := ffprobe(t, r.in), ffprobe(t, r.out)
	wanted, times := timestamps(t, r.in, "pts_time"), timestamps(t, r.out, "pts_time")
	equal(t, "number of times", len(times), len(wanted))
	for i := range min(len(times), len(wanted)) {
		var x, y float64
		fmt.Sscan(wanted[i], &x)
		fmt.Sscan(times[i], &y)
		if near := map[bool]float64{true: 0.0005001}[b.Format.Name == "matroska,webm"]; math.Abs(x-y) > near { // it counts milliseconds
			t.Errorf("frame %d is at %v, want %v", i, y, x)
		}
	}
	equal(t, "shape of pixels", b.Streams[0].SAR, a.Streams[0].SAR)
	equal(t, "time code", b.Streams[0].Tags["timecode"], a.Streams[0].Tags["timecode"])
	side := func(p probe) (angles []float64) {
		for _, d := range p.Streams[0].Side {
			if d.Matrix != "" {
				angles = append(angles, d.Rotation)
			}
		}
		return angles
	}
	if !slices.Equal(side(a), side(b)) {
		t.Errorf("rotation %v, want %v", side(b), side(a))
	}
	var long [2]float64
	for i, p := range []probe{a, b} {
		fmt.Sscan(p.Format.Duration, &long[i])
		if p.Format.Name == "matroska,webm" { // it has the end
			var start float64
			fmt.Sscan(times[0], &start)
			long[i] -= start
		}
	}
	if math.Abs(long[0]-long[1]) > 0.0425 { // one frame
		t.Errorf("it is %v s long, want %v", long[1], long[0])
	}
}

// alphaPlanes returns what shows the mask in raw frames, as 8 bits a pixel.
func alphaPlanes(t *testing.T, b []byte, format string, w, h int) (planes [][]uint8) {
	t.Helper()
	size, at, step := w*h, 0, 1 // of a frame, of the plane, from pixel to pixel
	switch format {
	case "gray":
	case "argb", "rgba":
		size, step = 4*w*h, 4
		if format == "rgba" {
			at = 3
		}
	case "yuva420p":
		at = w*h + 2*((w+1)/2)*((h+1)/2)
		size = at + w*h
	case "yuva444p10le":
		size, at, step = 8*w*h, 6*w*h, 2
	default:
		t.Fatal(format)
	}
	for ; len(b) >= size; b = b[size:] {
		plane := make([]uint8, w*h)
		for i := range plane {
			if format == "yuva444p10le" {
				v := int(binary.LittleEndian.Uint16(b[at+2*i:]))
				plane[i] = uint8((v*255*2 + 1023) / (2 * 1023))
				if back := (int(plane[i])*1023*2 + 255) / (2 * 255); back != v {
					t.Fatalf("a sample of alpha is %d, which is no value of a mask", v)
				}
				continue
			}
			plane[i] = b[at+step*i]
		}
		planes = append(planes, plane)
	}
	return planes
}

// checkMasks compares the masks of a file, whose rows have w pixels, with those that were
// written.
func checkMasks(t *testing.T, r *run, planes [][]uint8, w, near int) {
	t.Helper()
	if int64(len(planes)) != r.frames {
		t.Fatalf("it has %d frames, want %d", len(planes), r.frames)
	}
	for i, plane := range planes {
		mask := codedMask(int64(i), r.info.Width, r.info.Height)
		wrong := 0
		for k, v := range mask {
			got := plane[k/r.info.Width*w+k%r.info.Width]
			if d := int(got) - int(v); d > near || d < -near {
				wrong++
			}
		}
		// A lossy codec rings at the edges of the bits.
		if wrong > 0 && (near == 0 || wrong > len(mask)/8) {
			t.Fatalf("frame %d: %d of %d pixels of its mask are wrong", i, wrong, len(mask))
		}
	}
}

// TestMatteAlpha: where the mask is 0, straight pixels are those of the source and
// premultiplied ones black; a QuickTime file says which it has.
func TestMatteAlpha(t *testing.T) {
	in := ffmpeg(t, "in.mkv", "-f", "lavfi", "-i", "color=c=0x3080d0:size=64x48:rate=25:duration=0.08", "-pix_fmt", "yuv444p", "-c:v", "ffv1")
	for _, c := range []struct {
		o    MatteOptions
		mode uint16
		zero func(y, u, v int) bool
	}{
		{MatteOptions{}, 0x100, func(y, u, v int) bool { return y > 300 && u > 600 && v < 450 }},
		{MatteOptions{Alpha: Straight, Profile: "4444xq"}, 0x100, func(y, u, v int) bool { return y > 300 && u > 600 && v < 450 }},
		{MatteOptions{Alpha: Premultiplied}, 0x102, func(y, u, v int) bool { return y == 64 && u == 512 && v == 512 }},
		{MatteOptions{Codec: "qtrle", Alpha: Premultiplied}, 0x102, nil},
		{MatteOptions{Codec: "h264"}, 0, nil},
	} {
		r := matteOf(t, in, "o.mov", c.o)
		f, err := os.Open(r.out)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		fi, _ := f.Stat()
		from, _, err := firstBox(f, fi.Size(), "moov", "trak", "mdia", "minf", "vmhd")
		if err != nil {
			t.Fatal(err)
		}
		var mode [2]byte
		if _, err := f.ReadAt(mode[:], from+4); err != nil {
			t.Fatal(err)
		}
		equal(t, fmt.Sprintf("graphics mode of %+v", c.o), binary.BigEndian.Uint16(mode[:]), c.mode)
		tag := map[string]string{"": "ap4h", "4444xq": "ap4x"}[c.o.Profile]
		if c.zero == nil {
			continue
		}
		equal(t, "tag", ffprobe(t, r.out).Streams[0].Tag, tag)
		b := raw(t, r.out, "yuva444p10le", "")
		const n, at = 64 * 48, 8*64 + 32 // the bit for 16 of frame 0 is not set
		of := func(i int) int { return int(binary.LittleEndian.Uint16(b[2*(i*n+at):])) }
		if of(3) != 0 || !c.zero(of(0), of(1), of(2)) {
			t.Errorf("%+v: outside the mask the pixel is %d %d %d %d", c.o, of(0), of(1), of(2), of(3))
		}
	}
}

// TestMatteStreams: other streams are left out and are no loss, or copied like those of
// every output. A mask is not said to be HDR.
func TestMatteStreams(t *testing.T) {
	in := ffmpeg(t, "in.mkv", "-f", "lavfi", "-i", tiny, "-f", "lavfi", "-i", "sine=duration=0.4", "-c:v", "libx265", "-x265-params",
		"log-level=none:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400",
		"-pix_fmt", "yuv420p10le", "-color_trc", "smpte2084", "-c:a", "pcm_s16le", "-metadata", "title=Shot 7")
	kinds := func(path string) (list []string) {
		for _, s := range ffprobe(t, path).Streams {
			list = append(list, s.Kind)
		}
		return list
	}
	for _, name := range []string{"o.mkv", "o.mov"} {
		r := matteOf(t, in, name, MatteOptions{})
		sameList(t, "streams", kinds(r.out), []string{"video"})
		if p := ffprobe(t, r.out); p.Format.Tags["title"] != "Shot 7" {
			t.Errorf("tags %v", p.Format.Tags)
		}
		for _, l := range r.lost {
			if !l.Minor {
				t.Errorf("lost %+v", l)
			}
		}
		r = matteOf(t, in, name, MatteOptions{}, func(s *Sink) { s.VideoOnly = false })
		sameList(t, "streams", kinds(r.out), []string{"video", "audio"})
		sameList(t, "sound", packets(t, r.out, "a:0", "data_hash"), packets(t, in, "a:0", "data_hash"))
	}
	r := matteOf(t, in, "o.mp4", MatteOptions{})
	p := ffprobe(t, r.out).Streams[0]
	equal(t, "colour", fmt.Sprint(p.Range, p.Space, p.Primaries, p.Transfer), "tvbt709bt709bt709")
	if len(p.Side) > 0 || len(r.lost) > 0 {
		t.Errorf("side data %+v, lost %+v", p.Side, r.lost)
	}
}

// TestMatteOfAlpha: alpha that the source has is multiplied by the mask.
func TestMatteOfAlpha(t *testing.T) {
	in := ffmpeg(t, "in.mov", "-f", "lavfi", "-i", "color=c=red:size=64x48:rate=25:duration=0.08,format=rgba,colorchannelmixer=aa=0.2", "-c:v", "qtrle")
	r := matteOf(t, in, "o.mov", MatteOptions{Codec: "qtrle"})
	b := raw(t, r.out, "argb", "")
	mask := codedMask(0, 64, 48)
	for i, v := range mask {
		if got, want := int(b[4*i]), (int(v)*51*2+255)/(2*255); got != want || b[4*i+1] < 250 {
			t.Fatalf("pixel %d has alpha %d and red %d; its mask is %d", i, got, b[4*i+1], v)
		}
	}
}

// TestMatteErrors: a mask of another size, and formats that cannot be.
func TestMatteErrors(t *testing.T) {
	in := ffmpeg(t, "in.mkv", "-f", "lavfi", "-i", tiny, "-c:v", "ffv1")
	src := &Source{Path: in}
	if err := src.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for _, f := range []MatteFormat{{Pixels: "none"}, {Pixels: "pal8"}, {Pixels: "gray", Premultiplied: true}, {Pixels: "yuva420p", Premultiplied: true},
		{Pixels: "ya8", Premultiplied: true}, {Pixels: "yuv420p10le"}, {Pixels: "p010le"}, {Pixels: "rgb24"}} {
		if err := (&MatteMaker{Source: src.Info(), Format: f}).Initialize(); err == nil {
			t.Errorf("%+v is accepted", f)
		}
	}
	m := &MatteMaker{Source: src.Info(), Format: MatteFormat{Pixels: "gray"}}
	if err := m.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	f, err := src.Read(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Release()
	if _, err := m.Make(f, make([]uint8, 7)); err == nil || !strings.Contains(err.Error(), "has 7 pixels, not 3072") {
		t.Errorf("a mask of 7 pixels: %v", err)
	}
}
