package video

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/asticode/go-astiav"

	"github.com/carve-video/carve/internal/golden"
)

// TestHiddenSound checks that packets that an edit list hides are not audible in any
// container.
func TestHiddenSound(t *testing.T) {
	in := filepath.Join(golden.Shared(t, "cases", "video"), "elst2.mp4")
	var shown []string
	for _, p := range packets(t, in, "a", "pts_time,flags,data_hash") {
		if strings.Contains(p, ",K__,") {
			shown = append(shown, p[strings.LastIndexByte(p, ',')+1:])
		}
	}
	if len(shown) != 94 {
		t.Fatalf("%d packets of the clip are shown", len(shown))
	}
	for _, to := range []string{"o.mp4", "o.mov", "o.mkv"} {
		r := transcode(t, in, to, quick)
		var heard []string
		for _, p := range packets(t, r.out, "a", "pts_time,flags,data_hash") {
			if strings.Contains(p, ",K__,") && p[0] != '-' {
				heard = append(heard, p[strings.LastIndexByte(p, ',')+1:])
			}
		}
		sameList(t, to+": packets", heard, shown)
		if all := packets(t, r.out, "a", "pts_time"); len(all) > len(shown)+1 {
			t.Errorf("%s: %d packets, %d are shown", to, len(all), len(shown))
		}
		if len(r.lost) != 0 {
			t.Errorf("%s: lost %v", to, r.lost)
		}
	}
}

// TestEqualTimes checks that audio whose packets share a time in pairs is kept
// completely.
func TestEqualTimes(t *testing.T) {
	in := filepath.Join(golden.Shared(t, "cases", "video"), "fragev.mp4")
	want := packets(t, in, "a", "data_hash")
	if len(want) != 48 {
		t.Fatalf("%d packets", len(want))
	}
	for _, to := range []string{"o.mp4", "o.mkv", "o.ts", "o.nut"} {
		r := transcode(t, in, to)
		if to == "o.ts" { // it puts a header before each packet
			equal(t, to, len(packets(t, r.out, "a", "pts")), len(want))
			continue
		}
		sameList(t, to, packets(t, r.out, "a", "data_hash"), want)
		if len(r.lost) != 0 {
			t.Errorf("%s: lost %v", to, r.lost)
		}
	}
}

// TestSecondVideo checks that a copied second video keeps its times although its first
// packets have no decoding time, or no presentation time.
func TestSecondVideo(t *testing.T) {
	two := []string{"-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=1.2", "-f", "lavfi", "-i", "testsrc=size=64x48:rate=25:duration=1.2",
		"-map", "0", "-map", "1", "-c:v", "libx264", "-bf", "3", "-b_strategy", "0"}
	for _, c := range []struct{ from, to string }{
		{"in.mkv", "o.mp4"}, {"in.mkv", "o.mov"}, {"in.mkv", "o.mkv"}, {"in.mp4", "o.mkv"}, {"in.avi", "o.mkv"}, {"in.avi", "o.mp4"},
	} {
		t.Run(c.from+" "+c.to, func(t *testing.T) {
			t.Parallel()
			in := ffmpeg(t, c.from, two...)
			r := transcode(t, in, c.to, quick)
			of := in
			if c.from == "in.avi" { // AVI numbers its frames
				of = ffmpeg(t, "plain.mkv", two...)
			}
			const shown = "frame=best_effort_timestamp_time"
			times := func(path string) []string {
				return strings.Fields(strings.ReplaceAll(output(t, "ffprobe", "-v", "error", "-select_streams", "v:1", "-show_entries", shown, "-of", "csv=p=0", path), ",", " "))
			}
			sameWithin(t, "times", times(r.out), times(of), 0.0011)
			equal(t, "frames", len(times(r.out)), 30)
			equal(t, "packets", len(packets(t, r.out, "v:1", "size")), len(packets(t, in, "v:1", "size")))
			if len(r.lost) != 0 || r.log.count("WARN") != 0 {
				t.Errorf("lost %v\n%s", r.lost, r.log.all())
			}
		})
	}
}

// TestIncrease checks that, as with the ffmpeg program, a packet keeps the time of the
// one before it if the muxer accepts that, and that a packet that goes back in time is
// put after it.
func TestIncrease(t *testing.T) {
	output, err := astiav.AllocOutputFormatContext(nil, "mpegts", "o.ts")
	if err != nil {
		t.Fatal(err)
	}
	defer output.Free()
	p := astiav.AllocPacket()
	defer p.Free()
	for _, c := range []struct {
		kind      astiav.MediaType
		strict    bool
		dts, want int64
	}{
		{astiav.MediaTypeAudio, true, 101, 101},
		{astiav.MediaTypeAudio, true, 100, 101},
		{astiav.MediaTypeAudio, false, 100, 100},
		{astiav.MediaTypeAudio, false, 90, 101},
		{astiav.MediaTypeSubtitle, true, 100, 100},
		{astiav.MediaTypeSubtitle, true, 90, 101},
		{astiav.MediaTypeData, true, 100, 100},
	} {
		out := output.NewStream(nil)
		out.CodecParameters().SetMediaType(c.kind)
		k := &copied{out: out, strict: c.strict, lastDTS: 100}
		p.SetDts(c.dts)
		p.SetPts(c.dts)
		k.increaseDTS(p)
		if p.Dts() != c.want || p.Pts() != c.want {
			t.Errorf("%v, strict %v: a packet at %d behind one at 100 is at %d, shown at %d, want %d", c.kind, c.strict, c.dts, p.Dts(), p.Pts(), c.want)
		}
	}
}

// TestRefusedPackets checks that the loss states how many packets a container refused.
func TestRefusedPackets(t *testing.T) {
	for n, want := range map[int64]string{1: "1 packet of audio stream 1 (aac)", 3: "3 packets of audio stream 1 (aac)"} {
		s := &Sink{copies: map[int]*copied{1: {info: StreamInfo{Index: 1, Kind: "audio", Codec: "aac"}, refused: n, reason: errInvalidArgument}}}
		if lost := s.Lost(); len(lost) != 1 || lost[0].What() != want || !strings.HasPrefix(lost[0].Reason, "could not be copied: ") {
			t.Errorf("%+v", lost)
		}
	}
}
