package video

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/asticode/go-astiav"
)

// sideData lists the side data of the first frame of a file, and of its stream.
func sideData(t *testing.T, path string) string {
	t.Helper()
	return output(t, "ffprobe", "-v", "error", "-select_streams", "v:0", "-read_intervals", "%+#1", "-show_frames", "-show_streams",
		"-show_entries", "frame=side_data_list:stream=side_data_list:stream_side_data:frame_side_data", path)
}

// TestLight checks that mastering display and light level are kept even if they are
// stored only in the frames.
func TestLight(t *testing.T) {
	in := ffmpeg(t, "in.mp4", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=25:duration=0.12", "-pix_fmt", "yuv420p10le", "-c:v", "libx265", "-x265-params",
		"log-level=none:hdr10=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400")
	for _, c := range []struct{ to, encoder string }{{"o.mp4", ""}, {"o.mkv", "libx265"}, {"o.mkv", "ffv1"}} {
		r := transcode(t, in, c.to, func(_ *Source, s *Sink) { s.Encoder, s.Preset = c.encoder, "ultrafast" })
		got := sideData(t, r.out)
		for _, want := range []string{"Mastering display metadata", "max_content=1000", "max_average=400"} {
			if !strings.Contains(got, want) {
				t.Errorf("%s by %s has no %q:\n%s", c.to, c.encoder, want, got)
			}
		}
		if len(r.lost) != 0 {
			t.Errorf("lost %v", r.lost)
		}
	}
	r := transcode(t, in, "o.ts", func(_ *Source, s *Sink) { s.Encoder = "mpeg2video" })
	if got := parts(r.lost); !slices.Equal(got, []string{"mastering display of video stream 0 (hevc)", "content light level of video stream 0 (hevc)"}) || !r.lost[0].Minor {
		t.Errorf("lost %+v", r.lost)
	}
}

// TestKeyedTags checks the tags in which phones store the time and place of a
// recording.
func TestKeyedTags(t *testing.T) {
	in := ffmpeg(t, "in.mov", "-f", "lavfi", "-i", tiny, "-c:v", "libx264", "-movflags", "use_metadata_tags",
		"-metadata", "com.apple.quicktime.creationdate=2024-05-01T10:20:30+0200", "-metadata", "com.apple.quicktime.location.ISO6709=+48.1+011.5/", "-metadata", "title=Hello")
	plain := ffmpeg(t, "in.mov", "-f", "lavfi", "-i", tiny, "-c:v", "libx264", "-metadata", "title=Hello")
	for _, to := range []string{"o.mov", "o.mp4", "o.mkv"} {
		tags := map[string]string{}
		for k, v := range ffprobe(t, transcode(t, in, to).out).Format.Tags {
			tags[strings.ToLower(k)] = v
		}
		equal(t, to+" date", tags["com.apple.quicktime.creationdate"], "2024-05-01T10:20:30+0200")
		equal(t, to+" place", tags["com.apple.quicktime.location.iso6709"], "+48.1+011.5/")
		equal(t, to+" title", tags["title"], "Hello")
		r := transcode(t, plain, to)
		equal(t, to+" title", ffprobe(t, r.out).Format.Tags["title"], "Hello")
		if b, err := os.ReadFile(r.out); err != nil || bytes.Contains(b, []byte("mdta")) {
			t.Errorf("%s: its title is where few players look for it (%v)", to, err)
		}
	}
}

// TestLanguages checks that QuickTime files keep languages with and without a Macintosh
// code.
func TestLanguages(t *testing.T) {
	langs := []string{"deu", "ger", "eng", "cym", "nds", "und"}
	args := []string{"-f", "lavfi", "-i", tiny, "-f", "lavfi", "-i", "sine=duration=0.4", "-map", "0", "-c:v", "libx264", "-c:a", "aac", "-metadata:s:v", "language=jpn"}
	for i, l := range langs {
		args = append(args, "-map", "1", fmt.Sprintf("-metadata:s:a:%d", i), "language="+l)
	}
	in := ffmpeg(t, "in.mkv", args...)
	for _, to := range []string{"o.mov", "o.mp4"} {
		streams := ffprobe(t, transcode(t, in, to).out).Streams
		equal(t, "streams", len(streams), len(langs)+1)
		equal(t, to, streams[0].Tags["language"], "jpn")
		for i, l := range langs {
			got := streams[i+1].Tags["language"]
			if l == "und" && got == "" {
				got = l
			}
			equal(t, to, got, l)
		}
	}
}

// TestHEVCTag checks that H.265 gets the one of its two tags that Apple's players
// accept.
func TestHEVCTag(t *testing.T) {
	in := []string{"-f", "lavfi", "-i", tiny, "-map", "0", "-map", "0", "-c:v:0", "libx264", "-c:v:1", "libx265", "-x265-params", "log-level=none", "-preset", "ultrafast"}
	for name, in := range map[string]string{"in.mp4": ffmpeg(t, "in.mp4", append(in, "-tag:v:1", "hev1")...), "in.ts": ffmpeg(t, "in.ts", in...)} {
		for _, to := range []string{"o.mp4", "o.mov"} {
			p := ffprobe(t, transcode(t, in, to, func(_ *Source, s *Sink) { s.Encoder, s.Preset = "libx265", "ultrafast" }).out)
			equal(t, "streams", len(p.Streams), 2)
			for _, s := range p.Streams {
				equal(t, fmt.Sprintf("%s to %s: tag of stream %d", name, to, s.Index), s.Tag, "hvc1")
				equal(t, "frames", s.Frames, "10")
			}
		}
	}
}

// TestPIDs checks stream IDs that a transport stream may have, and ones that the muxer
// needs for a table.
func TestPIDs(t *testing.T) {
	in := ffmpeg(t, "in.ts", "-f", "lavfi", "-i", tiny, "-f", "lavfi", "-i", "sine=duration=0.4", "-c:v", "libx264", "-c:a", "aac",
		"-mpegts_pmt_start_pid", "32", "-streamid", "0:4096", "-streamid", "1:256")
	for _, to := range []string{"o.ts", "o.m2ts"} {
		equal(t, to, len(ffprobe(t, transcode(t, in, to).out).Streams), 2)
	}
	two := ffmpeg(t, "in.ts", "-f", "lavfi", "-i", tiny, "-map", "0", "-map", "0", "-map", "0", "-c:v", "libx264")
	for _, to := range []string{"o.ts", "o.m2ts"} {
		equal(t, to, len(ffprobe(t, transcode(t, two, to).out).Streams), 3)
	}
}

// withViews inserts into a QuickTime file, whose header is last, what Apple's phones
// write there for stereo video.
func withViews(t *testing.T, path string) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	vexu := []byte("\x00\x00\x00\x1dvexu\x00\x00\x00\x15eyes\x00\x00\x00\x0dstri\x00\x00\x00\x00\x03")
	from, to := int64(0), int64(len(b))
	var heads []int64
	for _, kind := range []string{"moov", "trak", "mdia", "minf", "stbl", "stsd", "hvc1"} {
		if kind == "hvc1" {
			from += 8 // the number of entries
		}
		found := false
		if err := eachBox(bytes.NewReader(b), from, to, kind, func(f, l int64) error {
			if !found {
				found, from, to = true, f, l
			}
			return nil
		}); err != nil || !found {
			t.Fatalf("%s: %v", kind, err)
		}
		heads = append(heads, from-8)
	}
	b = slices.Insert(b, int(to), vexu...)
	for _, h := range heads {
		binary.BigEndian.PutUint32(b[h:], binary.BigEndian.Uint32(b[h:])+uint32(len(vexu)))
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestViews checks that of a stereo video one view is read, that this is reported, and
// that the output does not claim to have two.
func TestViews(t *testing.T) {
	in := ffmpeg(t, "in.mov", "-f", "lavfi", "-i", tiny, "-c:v", "libx265", "-x265-params", "log-level=none", "-preset", "ultrafast", "-tag:v", "hvc1")
	withViews(t, in)
	if got := sideData(t, in); !strings.Contains(got, "Stereo 3D") {
		t.Fatalf("the clip says nothing of two views: this tests nothing\n%s", got)
	}
	r := transcode(t, in, "o.mov", func(_ *Source, s *Sink) { s.Encoder, s.Preset = "libx265", "ultrafast" })
	if got := parts(r.lost); !slices.Equal(got, []string{"all views but the first of video stream 0 (hevc)"}) || r.lost[0].Minor {
		t.Errorf("lost %+v", r.lost)
	}
	if got := sideData(t, r.out); strings.Contains(got, "Stereo 3D") {
		t.Errorf("the output claims two views:\n%s", got)
	}
}

// TestEXIF checks that EXIF, which is not written, is listed.
func TestEXIF(t *testing.T) {
	plain := ffmpeg(t, "p.jpg", "-f", "lavfi", "-i", "testsrc2=size=64x40:rate=25:duration=0.04", "-frames:v", "1")
	b, err := os.ReadFile(plain)
	if err != nil {
		t.Fatal(err)
	}
	exif := "\xff\xe1\x00\x22Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x01\x00\x00\x00\x00\x00\x00"
	photo := filepath.Join(t.TempDir(), "photo.jpg")
	if err := os.WriteFile(photo, append([]byte("\xff\xd8"+exif), b[2:]...), 0o644); err != nil {
		t.Fatal(err)
	}
	if r := transcode(t, photo, "o.jpg"); !slices.Equal(parts(r.lost), []string{"EXIF of video stream 0 (mjpeg)"}) || !r.lost[0].Minor {
		t.Errorf("lost %+v", r.lost)
	}
	if r := transcode(t, plain, "o.jpg"); len(r.lost) != 0 {
		t.Errorf("lost %+v", r.lost)
	}
	// EXIF that cannot be read is no damage to the image.
	for name, bad := range map[string]string{
		"its header":  strings.Replace(exif, "MM", "XX", 1),
		"its entries": strings.Replace(exif, "\x08\x00\x01", "\x08\xff\xff", 1),
	} {
		if err := os.WriteFile(photo, append([]byte("\xff\xd8"+bad), b[2:]...), 0o644); err != nil {
			t.Fatal(err)
		}
		r := transcode(t, photo, "o.jpg", func(src *Source, _ *Sink) { src.Strict = true })
		if len(r.lost) != 1 || r.lost[0].Part != "EXIF" || !r.lost[0].Minor || !strings.Contains(r.lost[0].Reason, "damaged") || r.damage.Count != 0 {
			t.Errorf("%s: lost %+v, %d damages", name, r.lost, r.damage.Count)
		}
	}
}

func TestTagOfCopies(t *testing.T) {
	for _, c := range []struct {
		tag   string
		extra []byte
		want  string
	}{
		{"hev1", append(make([]byte, 22), 3), "hvc1"}, {"hev1", append([]byte{1}, make([]byte, 22)...), "hev1"},
		{"dvh1", append(make([]byte, 22), 3), "dvh1"}, {"hev1", nil, "hev1"},
	} {
		p := astiav.AllocCodecParameters()
		p.SetCodecID(astiav.CodecIDHevc)
		p.SetCodecTag(fourCC(c.tag))
		if err := p.SetExtraData(c.extra); c.extra != nil && err != nil {
			t.Fatal(err)
		}
		tagHEVC(astiav.FindOutputFormat("mp4"), p)
		equal(t, "tag", p.CodecTag(), fourCC(c.want))
		p.Free()
	}
}
