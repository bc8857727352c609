package video

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/asticode/go-astiav"
)

// read opens a file and reads it to its end.
func read(t testing.TB, path string, allowPlaylists bool) (frames int, err error) {
	t.Helper()
	s := &Source{Path: path, AllowPlaylists: allowPlaylists}
	if err := s.Initialize(); err != nil {
		return 0, err
	}
	defer s.Close()
	for {
		f, err := s.Read(context.Background())
		if errors.Is(err, io.EOF) {
			return frames, nil
		}
		if err != nil {
			return frames, err
		}
		f.Release()
		frames++
	}
}

// TestPlaylists checks that the content of a file opens another file only if that is
// allowed, and never contacts a host.
func TestPlaylists(t *testing.T) {
	clip := ffmpeg(t, "film.mp4", "-f", "lavfi", "-i", "testsrc2=size=64x48:rate=10:duration=0.5", "-c:v", "libx264")
	stream := ffmpeg(t, "film.ts", "-i", clip, "-c", "copy")
	dir := t.TempDir()
	for from, to := range map[string]string{clip: "film.mp4", stream: "film.ts"} {
		if err := os.Rename(from, filepath.Join(dir, to)); err != nil {
			t.Fatal(err)
		}
	}
	hls := func(target string) string {
		return "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:1,\n" + target + "\n#EXT-X-ENDLIST\n"
	}
	concat := func(target string) string { return "ffconcat version 1.0\nfile " + target + "\n" }
	for _, c := range []struct {
		name, content string
		plain         error // if playlists are not allowed; nil: cannot be read
		allowed       int   // frames if playlists are allowed; 0: refused as well
	}{
		{"concat.mp4", concat("film.mp4"), ErrPlaylist, 5},
		{"nested.mkv", concat("concat.mp4"), ErrPlaylist, 5},
		{"outside.mp4", concat(filepath.Join(dir, "film.mp4")), ErrPlaylist, 0},
		{"up.mp4", concat("../film.mp4"), ErrPlaylist, 0},
		{"host.mp4", concat("http://127.0.0.1:9/film.mp4"), ErrPlaylist, 0},
		{"self.mp4", concat("self.mp4"), ErrPlaylist, 0},
		{"list.m3u8", hls("film.ts"), ErrPlaylist, 5},
		{"absolute.m3u8", hls(filepath.Join(dir, "film.ts")), ErrPlaylist, 5},
		{"host.m3u8", hls("http://127.0.0.1:9/film.ts"), ErrPlaylist, 0},
		{"master.m3u8", "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nmaster.m3u8\n", ErrPlaylist, 0},
		{"disguised.mp4", hls("film.ts"), nil, 0},
		{"session.mp4", "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 5004 RTP/AVP 96\na=rtpmap:96 H264/90000\n", ErrNotLocal, 0},
		{"insession.mp4", concat("session.mp4"), ErrPlaylist, 0},
		{"beside.mp4", "# VobSub index file, v7 (do not modify this line!)\n", ErrPlaylist, 0},
		{"script.avs", "Version()\n", ErrNotMedia, 0},
		{"script.vpy", "import vapoursynth\n", ErrNotMedia, 0},
		{"link.mp4", "rtsp://127.0.0.1:9/film\n", nil, 0},
		{"link.asx", "[Reference]\nRef1=http://127.0.0.1:9/film?MSWMExt=.asf\n", nil, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(dir, c.name)
			if err := os.WriteFile(path, []byte(c.content), 0o644); err != nil {
				t.Fatal(err)
			}
			_, err := read(t, path, false)
			if err == nil || c.plain != nil && !errors.Is(err, c.plain) {
				t.Errorf("without leave: %v, want %v", err, c.plain)
			}
			t.Log(err)
			began := time.Now()
			n, err := read(t, path, true)
			if n != c.allowed || (err == nil) != (c.allowed > 0) {
				t.Errorf("with leave: %d frames, %v, want %d frames", n, err, c.allowed)
			}
			t.Log(err)
			if d := time.Since(began); d > 5*time.Second {
				t.Errorf("it took %v", d)
			}
		})
	}
}

// TestPlanesBeside checks FFmpeg's reader of raw planes, which opens files next to the
// first.
func TestPlanesBeside(t *testing.T) {
	dir := t.TempDir()
	for _, ext := range []string{"y", "u", "v", "U", "V"} {
		if err := os.WriteFile(filepath.Join(dir, "raw."+ext), make([]byte, 160*120), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	p := astiav.AllocPacket()
	defer p.Free()
	for _, allowed := range []bool{false, true} {
		d, err := openDemuxer(filepath.Join(dir, "raw.y"), allowed)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.format.ReadFrame(p); (err == nil) != allowed {
			t.Errorf("with leave %v: %v", allowed, err)
		}
		p.Unref()
		d.close()
	}
}
