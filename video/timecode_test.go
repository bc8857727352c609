package video

import (
	"path/filepath"
	"testing"

	"github.com/carve-video/carve/internal/golden"
)

// TestTimecodes checks that a time code that does not fit into a track does not fail
// the video.
func TestTimecodes(t *testing.T) {
	clip := func(rate string, more ...string) []string {
		return append([]string{"-f", "lavfi", "-i", "testsrc2=size=64x48:rate=" + rate + ":duration=0.2", "-c:v", "libx264"}, more...)
	}
	ins := map[string]string{
		"300 frames a second": ffmpeg(t, "in.mkv", clip("300", "-metadata", "timecode=00:00:00:00")...),
		"of the stream":       ffmpeg(t, "in.mkv", clip("300", "-metadata:s:v", "timecode=00:00:00:00")...),
		"one frame":           ffmpeg(t, "in.mov", clip("25", "-frames:v", "1", "-metadata:s:v", "timecode=10:00:00:00")...),
		"one short frame": ffmpeg(t, "in.mkv", clip("25", "-vf", "settb=1/90000", "-frames:v", "1", "-bsf:v", "setts=duration=1",
			"-metadata:s:v", "timecode=10:00:00:00")...),
		"no time code":     ffmpeg(t, "in.mkv", clip("25", "-metadata", "timecode=early")...),
		"drop frame at 25": ffmpeg(t, "in.mkv", clip("25", "-metadata", "timecode=00:00:01;00")...),
	}
	for name, in := range ins {
		for _, to := range []string{"o.mp4", "o.mov"} {
			t.Run(name+" "+to, func(t *testing.T) {
				r := transcode(t, in, to, quick)
				equal(t, "frames", len(timestamps(t, r.out, "pts")), len(timestamps(t, in, "pts")))
				said, there := 0, ""
				for _, l := range r.lost {
					said++
					if l.What() != "the time code of video stream 0 (h264)" || !l.Minor {
						t.Errorf("lost %+v", l)
					}
				}
				if foreseen := knownLosses(t, in, to); len(foreseen) != said {
					t.Errorf("before work %+v, after it %+v", foreseen, r.lost)
				}
				if tag := ffprobe(t, r.out).Streams[0].Tags["timecode"]; tag != "" {
					there = tag
				}
				if (said == 1) == (there != "") {
					t.Errorf("%q is there, and it is said %d times that it is not", there, said)
				}
			})
		}
	}
	t.Run("shared", func(t *testing.T) {
		r := transcode(t, filepath.Join(golden.Shared(t, "cases", "video"), "tc300fps.mkv"), "o.mp4", quick)
		equal(t, "frames", len(timestamps(t, r.out, "pts")), len(timestamps(t, r.in, "pts")))
	})
}

// TestInfoTimecode: the time code is found where the container has it.
func TestInfoTimecode(t *testing.T) {
	for name, at := range map[string]string{"a.mov": "-metadata:s:v", "b.mkv": "-metadata", "c.mkv": "-metadata:s:v"} {
		in := ffmpeg(t, name, "-f", "lavfi", "-i", tiny, "-c:v", "libx264", at, "timecode=10:00:00:00")
		src := &Source{Path: in}
		if err := src.Initialize(); err != nil {
			t.Fatal(err)
		}
		equal(t, name, src.Info().Timecode, "10:00:00:00")
		src.Close()
	}
}

// knownLosses lists the losses that are known before the work starts.
func knownLosses(t *testing.T, in, to string) []Loss {
	t.Helper()
	src := &Source{Path: in}
	if err := src.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	return Losses(to, "", src)
}

// TestTags checks that tags and time codes that a container cannot store are listed
// before the work starts and afterwards, and that the others are kept.
func TestTags(t *testing.T) {
	in := ffmpeg(t, "in.mov", "-f", "lavfi", "-i", tiny, "-c:v", "libx264", "-metadata", "title=Dogs", "-metadata", "artist=Ann",
		"-metadata", "comment=late", "-metadata", "location=+47.1+008.5/", "-metadata:s:v", "timecode=10:00:00:00")
	plain := ffmpeg(t, "plain.mp4", "-f", "lavfi", "-i", tiny, "-c:v", "libx264")
	const code = "the time code of video stream 0 (h264)"
	for to, want := range map[string]struct {
		lost []string
		kept map[string]string
	}{
		"o.ts":   {[]string{code, "the tags artist, comment, location"}, nil},
		"o.m2ts": {[]string{code, "the tags artist, comment, location"}, nil},
		"o.avi":  {[]string{"the tag location"}, map[string]string{"title": "Dogs", "artist": "Ann", "comment": "late", "timecode": "10:00:00:00"}},
		"o.mov":  {nil, map[string]string{"title": "Dogs", "artist": "Ann", "comment": "late", "location": "+47.1+008.5/"}},
		"o.mkv":  {nil, map[string]string{"title": "Dogs", "ARTIST": "Ann", "COMMENT": "late", "LOCATION": "+47.1+008.5/"}},
	} {
		t.Run(to, func(t *testing.T) {
			r := transcode(t, in, to, quick)
			sameList(t, "lost", parts(r.lost), want.lost)
			sameList(t, "foreseen", parts(knownLosses(t, in, to)), want.lost)
			for _, l := range r.lost {
				if !l.Minor || l.Reason == "" {
					t.Errorf("%+v", l)
				}
			}
			p := ffprobe(t, r.out)
			for key, value := range want.kept {
				equal(t, key, p.Format.Tags[key], value)
			}
			if lost := parts(transcode(t, plain, to, quick).lost); len(lost) != 0 {
				t.Errorf("of a file without tags %v are lost", lost)
			}
		})
	}
}
