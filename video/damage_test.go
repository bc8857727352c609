package video

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/asticode/go-astiav"

	"github.com/carve-video/carve/internal/golden"
)

// damageOf reads a file to its end, without a sink.
func damageOf(path string, strict bool) (d Damage, frames int, err error) {
	s := &Source{Path: path, Strict: strict}
	if err := s.Initialize(); err != nil {
		return d, 0, err
	}
	defer s.Close()
	for {
		f, err := s.Read(context.Background())
		if errors.Is(err, io.EOF) {
			return s.Damage(), frames, nil
		}
		if err != nil {
			return s.Damage(), frames, err
		}
		f.Release()
		frames++
	}
}

func files(t *testing.T, folder ...string) (paths []string) {
	t.Helper()
	dir := golden.Shared(t, folder...)
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if e.Type().IsRegular() {
			paths = append(paths, filepath.Join(dir, e.Name()))
		}
	}
	if len(paths) == 0 {
		t.Fatalf("%s is empty", dir)
	}
	return paths
}

// damagedOrRefused checks the reports about a file that lost data.
func damagedOrRefused(t *testing.T, path string) {
	t.Helper()
	d, n, err := damageOf(path, false)
	if err != nil {
		var pe *PathError
		if !errors.As(err, &pe) {
			t.Errorf("%s: refused without a reason: %v", filepath.Base(path), err)
		}
		return
	}
	if d.Count == 0 || d.Err == nil {
		t.Errorf("%s: nothing is found in %d frames", filepath.Base(path), n)
		return
	}
	var de *DamageError
	if _, _, err := damageOf(path, true); !errors.As(err, &de) {
		t.Errorf("%s: strict ends with %v", filepath.Base(path), err)
	} else if de.Count != 1 {
		t.Errorf("%s: strict stops at damage %d", filepath.Base(path), de.Count)
	}
}

func checkIntact(t *testing.T, path string) {
	t.Helper()
	d, n, err := damageOf(path, true)
	if err != nil || d.Count != 0 || n == 0 {
		t.Errorf("%s: %d frames, %v, %v", filepath.Base(path), n, d, err)
	}
}

func TestDamagedFiles(t *testing.T) {
	for _, path := range files(t, "cases", "damaged") {
		damagedOrRefused(t, path)
	}
}

func TestIntactFiles(t *testing.T) {
	for _, path := range files(t, "cases", "video") {
		checkIntact(t, path)
	}
}

// mutants returns a file truncated, with bytes missing, with extra bytes, and with a
// part repeated, at places where frames are. An index at the end keeps its old
// positions.
func mutants(b []byte) map[string][]byte {
	n := len(b)
	junk := bytes.Repeat([]byte{0xa5, 0x17, 0xee, 0x3c}, 25)
	return map[string][]byte{
		"cut":           b[:n*3/5+1],
		"cut near end":  b[:n-n/15],
		"bytes missing": slices.Delete(bytes.Clone(b), n/2, n/2+100),
		"bytes added":   slices.Insert(bytes.Clone(b), n*2/3, junk...),
		"part twice":    slices.Insert(bytes.Clone(b), n/2, b[n/2-n/9:n/2]...),
	}
}

func TestMutants(t *testing.T) {
	clip := []string{"-f", "lavfi", "-i", "testsrc2=size=96x64:rate=10:duration=1"}
	tone := []string{"-f", "lavfi", "-i", "sine=duration=1"}
	for name, args := range map[string][]string{
		"a.gif":      clip,
		"vp8.webm":   append(clip[:4:4], "-c:v", "libvpx"),
		"vp9.webm":   append(clip[:4:4], "-c:v", "libvpx-vp9"),
		"ffv1.mkv":   append(clip[:4:4], "-c:v", "ffv1", "-pix_fmt", "yuv420p10le"),
		"h264.mkv":   slices.Concat(clip, tone, []string{"-c:v", "libx264", "-c:a", "aac"}),
		"h264.ts":    append(clip[:4:4], "-c:v", "libx264", "-g", "5"),
		"front.mp4":  slices.Concat(clip, tone, []string{"-c:v", "libx264", "-c:a", "aac", "-movflags", "+faststart"}),
		"parts.mp4":  append(clip[:4:4], "-c:v", "libx264", "-g", "3", "-movflags", "frag_keyframe+empty_moov"),
		"prores.mov": append(clip[:4:4], "-c:v", "prores_ks"),
		"mjpeg.avi":  slices.Concat(clip, tone, []string{"-c:v", "mjpeg", "-c:a", "pcm_s16le"}),
		"h264.flv":   append(clip[:4:4], "-c:v", "libx264"),
		"vp8.ivf":    append(clip[:4:4], "-c:v", "libvpx"),
		"wmv2.wmv":   slices.Concat(clip, tone, []string{"-c:v", "wmv2", "-c:a", "wmav2"}),
		"raw.y4m":    clip,
		"a.gxf":      append(clip[:4:4], "-c:v", "mpeg2video", "-s", "720x576"),
		"a.mxf":      append(clip[:4:4], "-r", "25", "-c:v", "mpeg2video"),
		"one.png":    append(clip[:4:4], "-frames:v", "1"),
		"one.jpg":    append(clip[:4:4], "-frames:v", "1"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			good := ffmpeg(t, name, args...)
			checkIntact(t, good)
			b, err := os.ReadFile(good)
			if err != nil {
				t.Fatal(err)
			}
			for how, m := range mutants(b) {
				if name == "one.jpg" && strings.HasPrefix(how, "part") || name == "h264.ts" && how == "part twice" {
					continue // coded data may contain anything, and packets may come twice
				}
				path := filepath.Join(t.TempDir(), strings.ReplaceAll(how, " ", "-")+"-"+name)
				if err := os.WriteFile(path, m, 0o600); err != nil {
					t.Fatal(err)
				}
				damagedOrRefused(t, path)
			}
		})
	}
}

// TestNoFalseAlarms reads unusual but complete files, which must not count as damaged.
func TestNoFalseAlarms(t *testing.T) {
	const clip = "-f lavfi -i testsrc2=size=96x64:rate=25:duration=2 "
	const both = clip + "-f lavfi -i sine=duration=2 "
	const longer = clip + "-f lavfi -i sine=duration=5 "
	const sparse = clip + "-vf select='not(mod(n,24))',setpts=N*4/TB -fps_mode vfr "
	for name, args := range map[string]string{
		"late-1.mkv":      both + "-c:v libx264 -c:a aac -output_ts_offset 1",
		"late-10.mkv":     both + "-c:v libx264 -c:a aac -output_ts_offset 10",
		"video-late.mkv":  "-itsoffset 3 " + both + "-map 0 -map 1 -c:v libx264 -c:a aac",
		"late.mp4":        both + "-c:v libx264 -c:a aac -output_ts_offset 5",
		"tone-longer.mkv": longer + "-c:v libx264 -c:a aac",
		"tone-longer.avi": longer + "-c:v mpeg4 -c:a mp2",
		"tone-longer.flv": longer + "-c:v flv -c:a aac -ar 44100",
		"sparse.mkv":      sparse + "-c:v libx264",
		"sparse.webm":     sparse + "-c:v libvpx",
		"sparse.mp4":      sparse + "-c:v libx264",
		"sparse.gif":      sparse,
		"open.mkv":        clip + "-c:v libx264 -x264-params open-gop=1:keyint=12:bframes=3",
		"open.ts":         both + "-c:v mpeg2video -bf 2 -g 12 -c:a mp2",
		"hidden.webm":     clip + "-c:v libvpx -auto-alt-ref 1 -lag-in-frames 16",
		"live.webm":       clip + "-c:v libvpx-vp9 -f webm -live 1",
		"parts.mp4":       both + "-c:v libx264 -g 12 -c:a aac -movflags frag_keyframe+empty_moov -frag_duration 300000",
		"fields.mkv":      clip + "-c:v libx264 -flags +ildct+ilme",
		"intra.mov":       both + "-c:v prores_ks -c:a pcm_s16le",
		"loop.gif":        clip + "-r 10 -loop 3",
		"program.mpg":     both + "-c:v mpeg2video -c:a mp2",
		"a.mxf":           both + "-ar 48000 -c:v mpeg2video -c:a pcm_s16le",
		"a.y4m":           clip,
		"a.apng":          clip + "-r 5 -f apng",
		"a.wmv":           both + "-c:v wmv2 -c:a wmav2",
		"a.jpg":           clip + "-frames:v 1",
		"raw.h264":        clip + "-c:v libx264",
		"tone-longer.wmv": longer + "-c:v wmv2 -c:a wmav2",
		"tone-longer.wtv": longer + "-c:v mpeg2video -c:a mp2",
		"tone-bit.wmv":    clip + "-f lavfi -i sine=d=2.1:r=48000 -c:v wmv2 -c:a wmav2",
		"late.asf":        both + "-c:v wmv2 -c:a wmav2 -output_ts_offset 5",
		"one.wmv":         clip + "-c:v wmv2 -frames:v 1",
		"two.wmv":         both + "-c:v wmv2 -c:a wmav2 -frames:v 2",
		"reordered.flv":   clip + "-r 30 -c:v libx264",
		"a.gxf":           clip + "-f lavfi -i sine=duration=2:sample_rate=48000 -c:v mpeg2video -s 720x576 -c:a pcm_s16le",
		"a.rm":            clip + "-c:v rv20 -s 176x144",
		"a.jls":           clip + "-c:v jpegls -frames:v 1",
		"slow.flv":        clip + "-r 1 -c:v libx264",
		"short.flv":       both + "-c:v libx264 -c:a aac -ar 44100 -frames:v 3",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			checkIntact(t, ffmpeg(t, name, strings.Fields(args)...))
		})
	}
}

// TestStartsAnywhere reads copies that begin within a group of pictures. What their
// first frames lack does not count as damage.
func TestStartsAnywhere(t *testing.T) {
	for name, codec := range map[string]string{
		"a.ts":  "-c:v libx264 -x264-params open-gop=1:keyint=12:bframes=3",
		"b.ts":  "-c:v mpeg2video -bf 2 -g 12",
		"c.mkv": "-c:v libx264 -x264-params open-gop=1:keyint=12:bframes=3",
		// This one has no further key frame.
		"d.mkv": "-c:v libx265 -x265-params log-level=error:bframes=8:b-adapt=0",
		"e.mp4": "-c:v libx265 -x265-params log-level=error:bframes=8:b-adapt=0",
		"f.mxf": "-c:v mpeg2video -bf 2 -g 12",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole := ffmpeg(t, name, append(strings.Fields("-f lavfi -i testsrc2=size=96x64:rate=25:duration=2"), strings.Fields(codec)...)...)
			checkIntact(t, ffmpeg(t, "from-"+name, "-i", whole, "-ss", "0.7", "-c", "copy", "-copyinkf"))
			if filepath.Ext(name) != ".ts" {
				return
			}
			b, err := os.ReadFile(whole)
			if err != nil {
				t.Fatal(err)
			}
			part := filepath.Join(t.TempDir(), name)
			if err := os.WriteFile(part, b[len(b)/188/3*188:], 0o600); err != nil {
				t.Fatal(err)
			}
			checkIntact(t, part)
		})
	}
}

// TestRawStartsAnywhere does the same with packets without times.
func TestRawStartsAnywhere(t *testing.T) {
	for name, codec := range map[string]string{
		"a.h264": "-c:v libx264 -x264-params open-gop=1:keyint=12:bframes=3",
		"b.h264": "-c:v libx264 -x264-params intra-refresh=1:keyint=20",
		"c.hevc": "-c:v libx265 -x265-params log-level=error:open-gop=1:keyint=10:pools=none:frame-threads=1",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			whole := ffmpeg(t, name, append(strings.Fields("-f lavfi -i testsrc2=size=96x64:rate=25:duration=2"), strings.Fields(codec)...)...)
			checkIntact(t, ffmpeg(t, "key-"+name, "-i", whole, "-ss", "0.5", "-c", "copy"))
			if name != "b.h264" { // nothing of this file can be shown
				checkIntact(t, ffmpeg(t, "late-"+name, "-i", whole, "-ss", "1.1", "-c", "copy"))
				checkIntact(t, ffmpeg(t, "from-"+name, "-i", whole, "-ss", "0.5", "-c", "copy", "-copyinkf"))
			}
			b, err := os.ReadFile(whole)
			if err != nil {
				t.Fatal(err)
			}
			bad := filepath.Join(t.TempDir(), name)
			// A part is missing. Of bytes that are only changed a decoder may not notice
			// anything.
			b = slices.Concat(b[:len(b)/3], b[len(b)/2:])
			if err := os.WriteFile(bad, b, 0o600); err != nil {
				t.Fatal(err)
			}
			damagedOrRefused(t, bad)
		})
	}
}

// TestJoined joins complete recordings byte by byte.
func TestJoined(t *testing.T) {
	const both = "-f lavfi -i testsrc2=size=320x240:rate=25:duration=2 -f lavfi -i sine=duration=2 -c:v libx264 -c:a mp2 -b:a 32k "
	one, err := os.ReadFile(ffmpeg(t, "one.ts", strings.Fields(both)...))
	if err != nil {
		t.Fatal(err)
	}
	for name, offset := range map[string]string{"anew": "0", "on": "2", "later": "30"} {
		other, err := os.ReadFile(ffmpeg(t, "other.ts", strings.Fields(both+"-output_ts_offset "+offset)...))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), name+".ts")
		if err := os.WriteFile(path, slices.Concat(one, other), 0o600); err != nil {
			t.Fatal(err)
		}
		checkIntact(t, path)
		if d, n, err := readPiped(t, path); d.Count != 0 || err != nil || n == 0 {
			t.Errorf("%s through a pipe: %d frames, %v, %v", name, n, d, err)
		}
		// The same, with packets lost at the joint.
		if err := os.WriteFile(path, slices.Concat(one[:len(one)/2/188*188], one[len(one)/2/188*188+3*188:], other), 0o600); err != nil {
			t.Fatal(err)
		}
		damagedOrRefused(t, path)
		if d, _, err := readPiped(t, path); d.Count == 0 || err != nil {
			t.Errorf("%s through a pipe, with packets lost: %v, %v", name, d, err)
		}
	}
}

// readPiped is damageOf through a named pipe.
func readPiped(t *testing.T, path string) (Damage, int, error) {
	t.Helper()
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	defer wg.Wait()
	wg.Go(func() {
		if err := os.WriteFile(fifo, b, 0o600); err != nil {
			t.Error(err)
		}
	})
	return damageOf(fifo, false)
}

// TestHistory compares what is kept of a pipe with what was written.
func TestHistory(t *testing.T) {
	var p history
	b := make([]byte, 100003)
	var all []byte
	for i := range 3 * historySize / len(b) {
		for j := range b {
			b[j] = byte(i + j*j)
		}
		p.add(b)
		all = append(all, b...)
	}
	equal(t, "end", p.end, int64(len(all)))
	equal(t, "start", p.start(), int64(len(all)-historySize))
	got := make([]byte, 3*len(b))
	for off := p.start(); off <= p.end-int64(len(got)); off += 654321 {
		if n, err := p.ReadAt(got, off); n != len(got) || err != nil || !bytes.Equal(got, all[off:off+int64(n)]) {
			t.Fatalf("at %d: %d, %v", off, n, err)
		}
	}
	if n, err := p.ReadAt(got, p.end-5); n != 5 || err != io.EOF {
		t.Errorf("at the end: %d, %v", n, err)
	}
	if n, err := p.ReadAt(got, p.start()-1); n != 0 || err != io.EOF {
		t.Errorf("before the start: %d, %v", n, err)
	}
}

// TestBrokenOnce breaks one frame. It shows several signs, counts once, and is reported
// at its place.
func TestBrokenOnce(t *testing.T) {
	path := ffmpeg(t, "a.mkv", "-f", "lavfi", "-i", "testsrc2=size=320x240:rate=25:duration=4", "-c:v", "libx264", "-g", "25", "-bf", "0")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var at, size int
	for _, p := range packets(t, path, "v", "pts_time,pos,size,flags") {
		var f [4]string
		copy(f[:], strings.Split(p, ","))
		if f[0] == "2.960000" { // the last frame of its group
			fmt.Sscan(f[1], &size)
			fmt.Sscan(f[2], &at)
		}
	}
	if at == 0 || size == 0 {
		t.Fatal("no packet at 2.96 s")
	}
	for i := at + size/2; i < at+size; i++ {
		b[i] ^= 0x5a
	}
	bad := filepath.Join(t.TempDir(), "bad.mkv")
	if err := os.WriteFile(bad, b, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, threads := range []int{1, 4} {
		s := &Source{Path: bad, Threads: threads}
		if err := s.Initialize(); err != nil {
			t.Fatal(err)
		}
		if _, err := readAll(t, s); err != nil {
			t.Fatal(err)
		}
		d := s.Damage()
		s.Close()
		equal(t, "damage", d.Count, 1)
		// Several threads work on as many frames, and FFmpeg does not say which one
		// failed.
		if off := (d.First - 2960*time.Millisecond).Abs(); off > time.Duration(threads+1)*40*time.Millisecond {
			t.Errorf("%d threads: at %v, it is at 2.96 s", threads, d.First)
		}
	}
}

// TestShort truncates a file where only the stated length shows it: between two
// clusters of a segment without a size.
func TestShort(t *testing.T) {
	path := ffmpeg(t, "a.mkv", "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=2", "-c:v", "libx264", "-bf", "0", "-g", "1",
		"-cluster_time_limit", "1")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	i := bytes.Index(b, []byte{0x18, 0x53, 0x80, 0x67}) + 4
	copy(b[i:], []byte{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	var clusters []int
	for j := i; ; {
		k := bytes.Index(b[j:], []byte{0x1f, 0x43, 0xb6, 0x75})
		if k < 0 {
			break
		}
		clusters = append(clusters, j+k)
		j += k + 4
	}
	if len(clusters) < 50 {
		t.Fatalf("%d clusters", len(clusters))
	}
	n := len(clusters)
	for _, c := range []struct {
		missing int
		short   bool
	}{{2, false}, {3, true}, {25, true}} {
		bad := filepath.Join(t.TempDir(), "bad.mkv")
		if err := os.WriteFile(bad, b[:clusters[n-c.missing]], 0o600); err != nil {
			t.Fatal(err)
		}
		d, frames, err := damageOf(bad, false)
		if err != nil || frames != 50-c.missing || c.short != (d.Count == 1) {
			t.Errorf("without %d frames: %d, %+v, %v", c.missing, frames, d, err)
		}
	}
}

// TestWrittenToPipe reads files whose writer could not seek back to fill in sizes.
func TestWrittenToPipe(t *testing.T) {
	for format, codec := range map[string]string{"avi": "mjpeg", "matroska": "libx264", "webm": "libvpx", "flv": "flv",
		"ivf": "libvpx", "rm": "rv10 -s 176x144", "asf": "wmv2"} {
		path := filepath.Join(t.TempDir(), "a."+format)
		b := output(t, "ffmpeg", strings.Fields("-v error -f lavfi -i testsrc2=size=96x64:rate=25:duration=1 -c:v "+codec+" -f "+format+" -")...)
		if err := os.WriteFile(path, []byte(b), 0o600); err != nil {
			t.Fatal(err)
		}
		checkIntact(t, path)
	}
}

// TestMissingPackets removes whole frames from a recording. FFmpeg marks nothing,
// because their neighbours are complete.
func TestMissingPackets(t *testing.T) {
	path := ffmpeg(t, "a.ts", "-f", "lavfi", "-i", "color=size=96x64:rate=25:duration=2", "-c:v", "libx264", "-bf", "0")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const videoPID = 0x100
	for i := len(b) / 2 / 188 * 188; ; i += 188 {
		if int(b[i+1]&0x1f)<<8|int(b[i+2]) == videoPID {
			b = slices.Delete(b, i, i+188) // small enough to fit into one packet
			break
		}
	}
	bad := filepath.Join(t.TempDir(), "bad.ts")
	if err := os.WriteFile(bad, b, 0o600); err != nil {
		t.Fatal(err)
	}
	d, _, err := damageOf(bad, false)
	if err != nil || d.Count != 1 || d.First < 500*time.Millisecond || d.First > 1500*time.Millisecond {
		t.Errorf("%+v, %v", d, err)
	}
}

// TestDamageOfCopied breaks only the audio, which matters only if it is copied.
func TestDamageOfCopied(t *testing.T) {
	path := ffmpeg(t, "a.ts", "-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=2", "-f", "lavfi", "-i", "sine=duration=2",
		"-c:v", "libx264", "-c:a", "mp2", "-b:a", "192k")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const audioPID = 0x101
	for i := len(b) / 2 / 188 * 188; ; i += 188 {
		if int(b[i+1]&0x1f)<<8|int(b[i+2]) == audioPID && b[i+1]&0x40 == 0 {
			b = slices.Delete(b, i, i+188)
			break
		}
	}
	bad := filepath.Join(t.TempDir(), "bad.ts")
	if err := os.WriteFile(bad, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if d, _, err := damageOf(bad, false); err != nil || d.Count != 0 {
		t.Errorf("not copied: %+v, %v", d, err)
	}
	if d := transcode(t, bad, "o.mp4").damage; d.Count != 1 || d.First < 500*time.Millisecond {
		t.Errorf("copied: %+v", d)
	}
}

// TestDamageIsPerSource reads a broken file and a good one at the same time. FFmpeg's
// log lines about one must not count for the other.
func TestDamageIsPerSource(t *testing.T) {
	paths := damagedClips(t)
	good := clip(t, "good.mkv", "-c:v", "libx264")
	var wg sync.WaitGroup
	for range 4 {
		for path, broken := range map[string]bool{paths["flipped.mkv"]: true, paths["flipped.ts"]: true, good: false} {
			wg.Go(func() {
				d, _, err := damageOf(path, false)
				if err != nil || broken != (d.Count > 0) {
					t.Errorf("%s: %+v, %v", filepath.Base(path), d, err)
				}
			})
		}
	}
	wg.Wait()
	listeners.Range(func(k, _ any) bool {
		t.Errorf("listener %v is left", k)
		return true
	})
}

func TestListener(t *testing.T) {
	l := newListener()
	defer l.close()
	say := func(level astiav.LogLevel, text string) { astiav.Log(nil, level, "%s\n", text) }
	say(astiav.LogLevelError, "before")
	err := l.during(func() error {
		say(astiav.LogLevelError, "an error")
		say(astiav.LogLevelWarning, "a warning")
		done := make(chan struct{})
		go func() { // on another thread, because this one is locked
			defer close(done)
			say(astiav.LogLevelError, "another listener's")
		}()
		<-done
		return io.EOF
	})
	equal(t, "error", err, io.EOF)
	l.during(func() error {
		say(astiav.LogLevelError, "Chapter end time 1 before start 2")
		return nil
	})
	say(astiav.LogLevelError, "after")
	heard := l.take()
	if len(heard) != 1 || heard[0].text != "an error" {
		t.Errorf("heard %+v", heard)
	}
	l.during(func() error {
		say(astiav.LogLevelWarning, "Invalid NAL unit 13, skipping.")
		return nil
	})
	equal(t, "warnings that tell of loss", len(l.take()), 1)
	l.during(func() error {
		for range 10 * maxRemarks {
			say(astiav.LogLevelError, "again")
		}
		return nil
	})
	equal(t, "kept", len(l.take()), maxRemarks)
	equal(t, "left", len(l.take()), 0)
}

func TestLedger(t *testing.T) {
	l := ledger{lag: 2}
	for i, step := range []struct {
		sent  int64
		sign  sign
		fresh bool
	}{
		{10, marked, true},
		{10, remarked, false}, // the same packet
		{12, refused, false},  // the decoder is two packets behind
		{12, refused, true},   // a second error belongs to another packet
		{14, concealed, false},
		{14, concealed, false}, // the second one
		{14, concealed, true},
		{17, remarked, true},
		{18, remarked, false},
		{40, concealed, true},
	} {
		if got := l.isNew(step.sign, step.sent); got != step.fresh {
			t.Errorf("step %d: fresh is %v", i, got)
		}
	}
	for i := range int64(1000) {
		l.isNew(marked, 100+50*i)
	}
	if len(l.recent) > 2*maxEarly {
		t.Errorf("%d spots are kept", len(l.recent))
	}
}

func TestParseClock(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"00:00:01.040000000": 1040 * time.Millisecond,
		"10:02:03.5":         10*time.Hour + 2*time.Minute + 3500*time.Millisecond,
	} {
		if d, ok := parseClock(text); !ok || (d-want).Abs() > time.Microsecond {
			t.Errorf("%q is %v", text, d)
		}
	}
	for _, text := range []string{"", "1.5", "a:b:c", "-1:00:00", "99999999999999999999:0:0"} {
		if d, ok := parseClock(text); ok {
			t.Errorf("%q is %v", text, d)
		}
	}
}
