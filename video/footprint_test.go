package video

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/asticode/go-astiav"
)

// TestFrameBytes compares the size of a frame with FFmpeg's own, in every format that
// frames can have.
func TestFrameBytes(t *testing.T) {
	const w, h = 640, 362
	seen := 0
	for pf := astiav.PixelFormat(0); pf < 250; pf++ {
		d, ok := describe(pf)
		if !ok || !d.drawable() {
			continue
		}
		f := astiav.AllocFrame()
		f.SetWidth(w)
		f.SetHeight(h)
		f.SetPixelFormat(pf)
		want, err := 0, f.AllocBuffer(1)
		if err == nil {
			want, err = f.ImageBufferSize(1)
		}
		f.Free()
		if err != nil {
			continue
		}
		seen++
		if d.Name == "uyyvyy411" { // six bytes for four pixels, at a step of four
			continue
		}
		if got := (Coded{Width: w, Height: h, format: pf}).Picture(); got != int64(want) {
			t.Errorf("%s: %d bytes, FFmpeg says %d", d.Name, got, want)
		}
	}
	if seen < 50 {
		t.Errorf("only %d formats were looked at", seen)
	}
}

// TestMatteBytes: the alpha of VP9 is encoded like a video of its own, and FFV1 takes no
// less for grey.
func TestMatteBytes(t *testing.T) {
	c := Coded{Width: 1920, Height: 1080}
	of := func(encoder, format string) int64 { return Encoding{Encoder: encoder, Threads: 2}.Bytes(c.In(format)) }
	if plain, alpha := of("libvpx-vp9", "yuv420p"), of("libvpx-vp9", "yuva420p"); alpha != 2*plain {
		t.Errorf("VP9 takes %d bytes, with alpha %d", plain, alpha)
	}
	if grey := of("ffv1", "gray"); grey < 148*c.Pixels() || grey > of("ffv1", "yuv420p") {
		t.Errorf("FFV1 takes %d bytes for grey", grey)
	}
}

// TestEncodingBytes checks that the memory of an encoder grows with its threads and its
// lookahead, and is known for every default encoder.
func TestEncodingBytes(t *testing.T) {
	c := Coded{Width: 1920, Height: 1080, format: astiav.PixelFormatYuv420P}
	for ext, k := range containers {
		e, ok := PlanEncoding("out"+ext, "", "", "", k.image, 4)
		if !ok {
			continue // this FFmpeg lacks it
		}
		whole := e.Bytes(c)
		if whole < c.Picture() {
			t.Errorf("%s: %s takes %d bytes, less than a frame", ext, e.Encoder, whole)
		}
		if e.Lookahead > LeastLookahead {
			e.Lookahead = LeastLookahead
			if e.Bytes(c) >= whole {
				t.Errorf("%s: %s takes no less when it looks less far ahead", ext, e.Encoder)
			}
		}
	}
	if e, ok := PlanEncoding("out.mkv", "", "libx264", "slow", false, 4); !ok || e.Threads != 6 || e.Lookahead != 50 {
		t.Errorf("%+v, %t", e, ok)
	}
	for _, path := range []string{"out.xyz", "out.png"} {
		if e, ok := PlanEncoding(path, "", "", "", false, 4); ok {
			t.Errorf("%s of a video: %+v", path, e)
		}
	}
}

func TestAfford(t *testing.T) {
	in := clip(t, "a.mp4", "-c:v", "libx264")
	var told []Coded
	src := &Source{Path: in, Afford: func(c Coded) (Means, error) {
		told = append(told, c)
		return Means{Threads: 1, Frames: 2}, nil
	}}
	if err := src.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if len(told) != 1 || told[0].Codec != "h264" || told[0].Width != 160 || told[0].Height != 120 || told[0].Still || told[0].Rate != (Rational{25, 1}) {
		t.Errorf("told of %+v", told)
	}
	if one, four := told[0].Decoder(1), told[0].Decoder(4); one >= four || !told[0].Threaded() {
		t.Errorf("%d bytes on one thread, %d on four", one, four)
	}
	// Two frames are available, and no third.
	a, err := src.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	b, err := src.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := src.Read(t.Context()); !errors.Is(err, ErrFramesInUse) {
		t.Errorf("a third frame in flight: %v", err)
	}
	a.Release()
	b.Release()

	refused := errors.New("too dear")
	src = &Source{Path: in, Afford: func(Coded) (Means, error) { return Means{}, refused }}
	if err := src.Initialize(); !errors.Is(err, refused) {
		t.Errorf("%v, not what Afford said", err)
	}
}

// TestGrowingFrames checks that frames that grow beyond the limit are refused.
func TestGrowingFrames(t *testing.T) {
	small := clip(t, "small.ts", "-c:v", "libx264", "-frames:v", "10")
	large := ffmpeg(t, "large.ts", "-f", "lavfi", "-i", "testsrc2=size=1920x1080:rate=25", "-frames:v", "10", "-c:v", "libx264", "-preset", "ultrafast")
	in := filepath.Join(t.TempDir(), "both.ts")
	concatenate(t, in, small, large)
	read := func(pixels int64) (frames int, damage int) {
		src := &Source{Path: in, Afford: func(Coded) (Means, error) { return Means{Frames: 2, Pixels: pixels}, nil }}
		if err := src.Initialize(); err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		for {
			f, err := src.Read(t.Context())
			if errors.Is(err, io.EOF) {
				return frames, int(src.Damage().Count)
			}
			if err != nil {
				t.Fatal(err)
			}
			frames++
			f.Release()
		}
	}
	frames, seam := read(0) // the joint may count as damage
	if frames != 20 {
		t.Errorf("without a bound: %d frames", frames)
	}
	if frames, damage := read(640 * 480); frames >= 20 || damage <= seam {
		t.Errorf("with a bound: %d frames, %d damaged places, and %d without", frames, damage, seam)
	}
}

// TestSpares checks that the copies made for drawing are reused, but not while an
// encoder still holds them.
func TestSpares(t *testing.T) {
	p := newPool(1)
	defer p.close()
	like := astiav.AllocFrame()
	defer like.Free()
	like.SetWidth(64)
	like.SetHeight(48)
	like.SetPixelFormat(astiav.PixelFormatYuv420P)
	if err := like.AllocBuffer(0); err != nil {
		t.Fatal(err)
	}
	first := like.Clone()
	p.putSpare(first)
	if o := p.getSpare(like); o == first { // like refers to it
		t.Error("a frame that an encoder holds is reused")
	} else {
		o.Free()
	}
	if err := first.MakeWritable(); err != nil {
		t.Fatal(err)
	}
	if o := p.getSpare(like); o != first {
		t.Error("a frame is not reused")
		o.Free()
	} else {
		p.putSpare(o)
	}
	if o, err := p.blank(like); err != nil || o != first {
		t.Errorf("a frame is not used for new samples: %v", err)
	} else {
		p.putSpare(o)
	}
	// One that gets no memory is no spare: it would be taken for one with samples.
	huge := astiav.AllocFrame()
	defer huge.Free()
	huge.SetWidth(1 << 30)
	huge.SetHeight(1 << 30)
	huge.SetPixelFormat(astiav.PixelFormatYuv420P)
	if o, err := p.blank(huge); err == nil || o != nil || len(p.spares) != 0 {
		t.Errorf("a frame of an exabyte: %v, %d spares", err, len(p.spares))
	}
	first = like.Clone()
	p.putSpare(first)
	like.SetWidth(32)
	if o := p.getSpare(like); o == first || len(p.spares) != 0 {
		t.Error("a frame of another size is kept or reused")
	} else {
		o.Free()
	}
}

func concatenate(t *testing.T, to string, from ...string) {
	t.Helper()
	var all []byte
	for _, path := range from {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b...)
	}
	if err := os.WriteFile(to, all, 0o644); err != nil {
		t.Fatal(err)
	}
}
