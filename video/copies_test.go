package video

import (
	"crypto/md5"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// streamHashes are the hashes of all packets of each stream but the first, which is the
// video that is encoded.
func streamHashes(t *testing.T, path string) (hashes []string) {
	t.Helper()
	out := output(t, "ffmpeg", "-v", "error", "-i", path, "-map", "0", "-map", "-0:v:0", "-map", "-0:t?", "-c", "copy", "-f", "streamhash", "-hash", "md5", "-")
	for line := range strings.Lines(out) {
		hashes = append(hashes, strings.TrimSpace(line))
	}
	return hashes
}

// attachments are the hashes of the attached files.
func attachments(t *testing.T, path string, n int) (hashes []string) {
	t.Helper()
	for i := range n {
		file := filepath.Join(t.TempDir(), "attached")
		output(t, "ffmpeg", "-v", "error", fmt.Sprintf("-dump_attachment:t:%d", i), file, "-i", path, "-f", "null", "-t", "0.01", "-")
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		hashes = append(hashes, fmt.Sprintf("%x", md5.Sum(b)))
	}
	return hashes
}

// TestCopies: sound, subtitles, covers and attachments are copied to the bit, with their
// order, languages, titles and dispositions; and so are chapters and tags.
func TestCopies(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	srt := file("s.srt", "1\n00:00:00,100 --> 00:00:00,500\nEins <i>zwei</i>\n\n2\n00:00:00,700 --> 00:00:01,100\nDrei\n")
	meta := file("m.txt", ";FFMETADATA1\ntitle=A Film\ncomment=of dogs\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=600\ntitle=One\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=600\nEND=1200\ntitle=Zwö\n")
	font, text := file("font.ttf", strings.Repeat("no font\x00\xff", 300)), file("read.me", "a text")
	cover := ffmpeg(t, "cover.png", "-f", "lavfi", "-i", "testsrc=size=40x40:duration=0.04:rate=25", "-frames:v", "1")
	base := []string{"-f", "lavfi", "-i", av, "-f", "lavfi", "-i", "sine=duration=1.2", "-f", "lavfi", "-i", "sine=880:duration=1.2", "-i", srt, "-i", meta, "-i", cover,
		"-map_metadata", "4", "-map_chapters", "4", "-map", "0", "-map", "1", "-map", "2", "-map", "1", "-map", "3", "-map", "3", "-c:v:0", "libx264", "-preset", "ultrafast",
		"-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fre", "-metadata:s:a:2", "language=deu", "-metadata:s:a:1", "title=Commentaire",
		"-metadata:s:s:0", "language=ger", "-metadata:s:s:1", "language=jpn", "-metadata:s:s:1", "title=Signs",
		"-disposition:a:0", "0", "-disposition:a:1", "default+comment", "-disposition:a:2", "visual_impaired+descriptions", "-disposition:s:0", "hearing_impaired", "-disposition:s:1", "forced"}
	matroska := ffmpeg(t, "in.mkv", append(slices.Clone(base), "-c:a:0", "aac", "-c:a:1", "flac", "-c:a:2", "pcm_s24le", "-c:s:0", "srt", "-c:s:1", "ass",
		"-attach", font, "-attach", text, "-metadata:s:t:0", "mimetype=application/x-truetype-font", "-metadata:s:t:1", "mimetype=text/plain")...)
	mp4 := ffmpeg(t, "in.mp4", append(slices.Clone(base), "-map", "5", "-c:v:1", "copy", "-disposition:v:1", "attached_pic",
		"-c:a:0", "aac", "-c:a:1", "alac", "-c:a:2", "ac3", "-c:s", "mov_text")...)
	quicktime := ffmpeg(t, "in.mov", append(slices.Clone(base), "-timecode", "10:00:00:00", "-c:a:0", "pcm_s16le", "-c:a:1", "aac", "-c:a:2", "pcm_s24be", "-c:s", "mov_text")...)
	transport := ffmpeg(t, "in.ts", "-f", "lavfi", "-i", av, "-f", "lavfi", "-i", "sine=duration=1.2", "-map", "0", "-map", "1", "-map", "1", "-c:v", "libx264", "-preset", "ultrafast",
		"-c:a:0", "mp2", "-c:a:1", "ac3", "-metadata:s:a:0", "language=eng", "-metadata:s:a:1", "language=fre", "-disposition:a:1", "visual_impaired")
	for _, c := range []struct {
		in, to string
		files  int // attached ones
	}{{matroska, "o.mkv", 2}, {mp4, "o.mp4", 0}, {quicktime, "o.mov", 0}, {transport, "o.ts", 0}} {
		t.Run(c.to, func(t *testing.T) {
			r := transcode(t, c.in, c.to, quick)
			sameList(t, "streams", streamHashes(t, r.out), streamHashes(t, c.in))
			sameList(t, "attachments", attachments(t, r.out, c.files), attachments(t, c.in, c.files))
			sameList(t, "streams, as described", description(t, r.out), description(t, c.in))
			if len(r.lost) != 0 {
				t.Errorf("lost %v", r.lost)
			}
		})
	}
}

// description lists what a file says of its streams, chapters and itself.
func description(t *testing.T, path string) (lines []string) {
	t.Helper()
	p := ffprobe(t, path)
	// Which program wrote and encoded it, and what follows from the video's encoding.
	other := []string{"encoder", "major_brand", "minor_version", "compatible_brands", "vendor_id", "duration"}
	tags := func(tags map[string]string) (text string) {
		for _, k := range slices.Sorted(maps.Keys(tags)) {
			if !slices.Contains(other, strings.ToLower(k)) {
				text += fmt.Sprintf(" %s=%q", k, tags[k])
			}
		}
		return text
	}
	for _, s := range p.Streams {
		if s.Kind == "data" { // FFmpeg gives the track of the time code the name of the video's
			delete(s.Tags, "handler_name")
		}
		line := fmt.Sprintf("%d %s %s", s.Index, s.Kind, s.Codec)
		for _, k := range slices.Sorted(maps.Keys(s.Disposition)) {
			if s.Disposition[k] != 0 {
				line += " " + k
			}
		}
		lines = append(lines, line+tags(s.Tags))
	}
	for _, c := range p.Chapters {
		lines = append(lines, "chapter "+c.Start+" to "+c.End+tags(c.Tags))
	}
	return append(lines, "file"+tags(p.Format.Tags))
}
