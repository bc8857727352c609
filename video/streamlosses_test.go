package video

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve/internal/golden"
)

const tiny = "testsrc2=size=64x48:rate=25:duration=0.4"

// audioCodecs are audio codecs that this FFmpeg can encode and Matroska can hold.
var audioCodecs = []string{"aac", "mp2", "ac3", "eac3", "dca", "flac", "alac", "opus", "vorbis", "pcm_s16le", "wavpack"}

// manyStreams makes videos with streams of many codecs, in as many files as it takes
// formats to hold them.
func manyStreams(t *testing.T) map[string]string {
	t.Helper()
	srt := filepath.Join(t.TempDir(), "s.srt")
	if err := os.WriteFile(srt, []byte("1\n00:00:00,100 --> 00:00:00,300\nEins\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	sup := discSubtitles(t)
	clip := func(name string, args ...string) string {
		return ffmpeg(t, name, append([]string{"-f", "lavfi", "-i", tiny, "-f", "lavfi", "-i", "sine=duration=0.4:sample_rate=48000", "-i", srt, "-i", sup,
			"-map", "0", "-c:v", "libx264", "-preset", "ultrafast", "-strict", "-2", "-ac", "2"}, args...)...)
	}
	args := []string{"-map", "2", "-map", "2", "-map", "2", "-c:s:0", "subrip", "-c:s:1", "ass", "-c:s:2", "webvtt"}
	for i, s := range audioCodecs {
		args = append(args, "-map", "1", fmt.Sprintf("-c:a:%d", i), s)
	}
	return map[string]string{
		"in.mkv":  clip("in.mkv", args...),
		"in.mp4":  clip("in.mp4", "-map", "1", "-map", "2", "-c:a", "truehd", "-c:s", "mov_text"),
		"in.ts":   clip("in.ts", "-map", "1", "-map", "0", "-c:a", "s302m"),
		"in.m2ts": clip("in.m2ts", "-map", "1", "-c:a", "pcm_bluray"),
		"pgs.mkv": clip("pgs.mkv", "-map", "3", "-c:s", "copy"),
	}
}

// discSubtitles makes a subtitle file as on Blu-ray discs, with two empty images.
func discSubtitles(t *testing.T) string {
	t.Helper()
	var b []byte
	for i, at := range []int{9000, 27000} {
		segment := func(kind byte, content ...byte) {
			b = slices.Concat(b, []byte("PG"), be32(at, 0), []byte{kind}, be16(len(content)), content)
		}
		segment(0x16, slices.Concat(be16(64, 48), []byte{0x10}, be16(i), []byte{0x80, 0, 0, 0})...)
		segment(0x80)
	}
	path := filepath.Join(t.TempDir(), "s.sup")
	if err := os.WriteFile(path, b, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestCarries copies streams of many codecs into every container. Each must either be
// recognised in the output or be listed before the work starts. Nothing may fail or
// become private data.
func TestCarries(t *testing.T) {
	for name, in := range manyStreams(t) {
		for _, ext := range []string{".mp4", ".mov", ".mkv", ".webm", ".ts", ".m2ts", ".avi", ".nut"} {
			t.Run(name+ext, func(t *testing.T) {
				t.Parallel()
				r := transcode(t, in, "o"+ext, func(_ *Source, s *Sink) {
					if ext == ".webm" {
						s.Options = map[string]string{"cpu-used": "8"}
					}
				})
				var want, got []string
				named := map[string]bool{}
				for _, l := range r.lost {
					named[l.Stream.Codec] = true
					t.Logf("%s: %s", l.What(), l.Reason)
				}
				for _, s := range r.info.Streams {
					if !named[s.Codec] {
						want = append(want, s.Codec)
					}
				}
				for _, s := range ffprobe(t, r.out).Streams[1:] {
					got = append(got, s.Codec)
				}
				if i := slices.Index(want, "eac3"); i >= 0 && ext == ".nut" {
					want[i] = "ac3" // both have the same name
				}
				if i := slices.Index(want, "mp2"); i >= 0 && ext == ".mp4" {
					want[i] = "mp3"
				}
				if i := slices.Index(want, "truehd"); i >= 0 && ext == ".m2ts" {
					want = slices.Insert(want, i+1, "ac3") // FFmpeg expects the second one on a disc
				}
				if !slices.Equal(got, want) {
					t.Errorf("%s holds %v, want %v", ext, got, want)
				}
				if len(named)+len(want) < len(r.info.Streams) {
					t.Errorf("named %v, held %v, of %v", named, want, r.info.Streams)
				}
			})
		}
	}
}

// TestKept checks the shared cases of streams that a container accepts.
func TestKept(t *testing.T) {
	dir := golden.Shared(t, filepath.Join("cases", "video"))
	r := transcode(t, filepath.Join(dir, "dvbsub.ts"), "o.ts")
	sameList(t, "subtitles", packets(t, r.out, "s", "data_hash"), packets(t, r.in, "s", "data_hash"))
	if len(r.lost) != 0 {
		t.Errorf("lost %v", r.lost)
	}
}

// TestAlternatives checks that a refused stream is listed with a container that accepts
// it, and with the right reason.
func TestAlternatives(t *testing.T) {
	in := ffmpeg(t, "in.webm", "-f", "lavfi", "-i", tiny, "-f", "lavfi", "-i", "sine=duration=0.4:sample_rate=48000", "-c:v", "libvpx", "-c:a", "opus", "-strict", "-2")
	src := &Source{Path: in}
	if err := src.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	lost := Losses("o.mov", "", src)
	if len(lost) != 1 || lost[0].What() != "audio stream 1 (opus)" || lost[0].Minor ||
		!strings.Contains(lost[0].Reason, "only supported in MP4") || !strings.Contains(lost[0].Reason, "; .mp4, .mkv") {
		t.Errorf("%+v", lost)
	}
	if lost := Losses("o.mkv", "", src); len(lost) != 0 {
		t.Errorf("%+v", lost)
	}
}

// TestCovers checks that Matroska keeps a cover as an attachment.
func TestCovers(t *testing.T) {
	cover := ffmpeg(t, "cover.png", "-f", "lavfi", "-i", "testsrc=size=40x40:duration=0.04:rate=25", "-frames:v", "1")
	clip := []string{"-f", "lavfi", "-i", tiny, "-i", cover, "-map", "0", "-c:v:0", "libx264"}
	for name, in := range map[string]string{
		"in.mp4": ffmpeg(t, "in.mp4", append(slices.Clone(clip), "-map", "1", "-c:v:1", "copy", "-disposition:v:1", "attached_pic")...),
		"in.mkv": ffmpeg(t, "in.mkv", append(slices.Clone(clip[:4]), "-c:v", "libx264", "-attach", cover, "-metadata:s:t", "mimetype=image/png", "-metadata:s:t", "filename=front.png")...),
	} {
		for _, to := range []string{"o.mkv", "o.mp4"} {
			r := transcode(t, in, to)
			p := ffprobe(t, r.out)
			if len(p.Streams) != 2 || p.Streams[1].Codec != "png" || p.Streams[1].Disposition["attached_pic"] != 1 || len(r.lost) != 0 {
				t.Errorf("%s to %s: %+v, lost %v", name, to, p.Streams, r.lost)
				continue
			}
			sameList(t, "cover", packets(t, r.out, "1", "data_hash"), packets(t, in, "1", "data_hash"))
			if name == "in.mkv" && to == "o.mkv" {
				equal(t, "name", p.Streams[1].Tags["filename"], "front.png")
			}
		}
		for _, to := range []string{"o.ts", "o.mov", "o.webm"} {
			if r := transcode(t, in, to); !slices.Equal(parts(r.lost), []string{"video stream 1 (png)"}) || r.lost[0].Minor {
				t.Errorf("%s: lost %+v", to, r.lost)
			}
		}
	}
}

// TestChapters checks that chapters are either in the output or listed.
func TestChapters(t *testing.T) {
	meta := filepath.Join(t.TempDir(), "meta.txt")
	if err := os.WriteFile(meta, []byte(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=200\ntitle=One\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=200\nEND=400\ntitle=Two\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	in := ffmpeg(t, "in.mkv", "-f", "lavfi", "-i", tiny, "-i", meta, "-map", "0", "-map_chapters", "1", "-c:v", "libx264")
	for ext, c := range containers {
		if c.image {
			continue
		}
		r := transcode(t, in, "o"+ext, func(_ *Source, s *Sink) {
			if ext == ".webm" {
				s.Options = map[string]string{"cpu-used": "8"}
			}
		})
		n := len(ffprobe(t, r.out).Chapters)
		named := slices.ContainsFunc(r.lost, func(l Loss) bool { return l.What() == "chapters" && !l.Minor })
		if n != 2 && !named || n == 2 && len(r.lost) != 0 || named != !c.chapters {
			t.Errorf("%s has %d chapters of 2, lost %+v", ext, n, r.lost)
		}
	}
}

// TestDataTracks checks that the data that a camera records is listed, as a minor loss.
func TestDataTracks(t *testing.T) {
	// The muxer has no type for this audio, so it is stored as unknown data.
	in := ffmpeg(t, "in.ts", "-f", "lavfi", "-i", tiny, "-f", "lavfi", "-i", "sine=duration=0.4", "-c:v", "libx264", "-c:a", "pcm_s16le")
	for _, to := range []string{"o.mp4", "o.mkv"} {
		r := transcode(t, in, to)
		if len(r.lost) != 1 || r.lost[0].Stream.Kind != "data" || !r.lost[0].Minor {
			t.Errorf("%s: lost %+v of %+v", to, r.lost, r.info.Streams)
		}
	}
}
