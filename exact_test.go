package carve_test

import (
	"encoding/json"
	"fmt"
	"image"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/video"
	"github.com/carve-video/carve/video/overlay"
)

// The frames of these clips carry their number as a bar code of 4×4 cells: six bits, then
// the same inverted, and corners that tell which way is up. brightModel's mask is the bright
// part of the code, so that every mask and every frame of an overlay can be read.

// Cells of the six bits and of their inverses; 0 and 15 are bright, 3 and 12 dark.
var barBits, barInverse = [6]int{1, 2, 4, 5, 6, 7}, [6]int{8, 9, 10, 11, 13, 14}

// barCell reports whether a cell of the code of a number is bright.
func barCell(n, cell int) bool {
	if i := slices.Index(barBits[:], cell); i >= 0 {
		return n>>i&1 == 1
	}
	if i := slices.Index(barInverse[:], cell); i >= 0 {
		return n>>i&1 == 0
	}
	return cell == 0 || cell == 15
}

// readBars returns the number of a code, or -1 if it is none.
func readBars(w, h int, bright func(x, y int) bool) int {
	n := 0
	cell := func(i int) bool { return bright((2*(i%4)+1)*w/8, (2*(i/4)+1)*h/8) }
	for i, c := range barBits {
		if cell(c) {
			n |= 1 << i
		}
	}
	for c := range 16 {
		if cell(c) != barCell(n, c) {
			return -1
		}
	}
	return n
}

// An exactCase is a clip and the container of the overlay.
type exactCase struct {
	name   string
	ext    string
	size   image.Point // as stored; 128×96 if it is zero
	rate   string      // of the frames; 25 if it is empty
	make   []string    // how ffmpeg encodes the frames
	turn   []string    // options of the input, for a second ffmpeg that copies
	first  int         // the number of the first frame that is shown
	to     string
	within float64 // tolerance of times in the overlay, for the container's rounding
}

const exactFrames = 24

// h264 are the options of a quick H.264 with B-frames.
func h264(more ...string) []string {
	return append([]string{"-pix_fmt", "yuv420p", "-c:v", "libx264", "-preset", "veryfast", "-bf", "3"}, more...)
}

func exactCases() []exactCase {
	vfr := h264("-vf", "settb=1/30000,setpts='1001*N+1501*floor(N/3)+37*mod(N,5)'", "-fps_mode", "passthrough", "-enc_time_base", "1/30000")
	intra := []string{"-pix_fmt", "yuv420p", "-c:v", "mpeg4", "-q:v", "2", "-bf", "0"}
	const ms = .0006
	return []exactCase{
		{name: "23.976", ext: "mp4", rate: "24000/1001", make: h264(), to: "mp4"},
		{name: "29.97", ext: "mov", rate: "30000/1001", make: h264("-timecode", "01:00:00;00"), to: "mov"},
		{name: "59.94", ext: "mkv", rate: "60000/1001", make: h264(), to: "mp4"},
		{name: "59.94 to Matroska", ext: "mp4", rate: "60000/1001", make: h264(), to: "mkv", within: ms},
		{name: "time code from a later hour", ext: "mov", rate: "24000/1001", make: h264("-timecode", "13:59:59:20"), to: "mp4"},
		{name: "variable rate", ext: "mp4", make: vfr, to: "mov"},
		{name: "variable rate to Matroska", ext: "mp4", make: vfr, to: "mkv", within: ms},
		{name: "variable rate in Matroska", ext: "mkv", make: vfr, to: "mp4"},
		{name: "open GOP", ext: "mp4", make: h264("-x264-params", "open-gop=1:keyint=8:min-keyint=8:scenecut=0:b-adapt=0"), to: "mp4"},
		{name: "open GOP of MPEG-2", ext: "ts", make: []string{"-pix_fmt", "yuv420p", "-c:v", "mpeg2video", "-q:v", "2", "-bf", "2", "-g", "9"}, to: "ts", within: 1e-5},
		{name: "edit list", ext: "mp4", make: h264("-x264-params", "keyint=12:min-keyint=12"), turn: []string{"-ss", "0.28"}, first: 7, to: "mp4"},
		{name: "edit list to Matroska", ext: "mov", make: h264("-x264-params", "keyint=12:min-keyint=12"), turn: []string{"-ss", "0.28"}, first: 7, to: "mkv", within: ms},
		{name: "edit list in an open GOP", ext: "mp4", turn: []string{"-ss", "0.44"}, first: 11, to: "mov",
			make: []string{"-pix_fmt", "yuv420p", "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:bframes=4:open-gop=1:keyint=8:min-keyint=8"}},
		{name: "cut at an open GOP", ext: "ts", make: h264("-x264-params", "open-gop=1:keyint=8:min-keyint=8:scenecut=0:b-adapt=0"), turn: []string{"-ss", "0.5"}, first: 16, to: "mp4", within: 1e-5},
		{name: "late start", ext: "mp4", rate: "24000/1001", make: h264("-output_ts_offset", "3.217"), to: "mov"},
		{name: "late start of a transport stream", ext: "ts", make: h264("-output_ts_offset", "77.7"), to: "mp4", within: 1e-5},
		{name: "turned by 90 degrees", ext: "mp4", make: h264("-vf", "transpose=clock"), turn: []string{"-display_rotation", "90"}, to: "mp4"},
		{name: "turned by 180 degrees", ext: "mov", make: h264("-vf", "hflip,vflip"), turn: []string{"-display_rotation", "180"}, to: "mov"},
		{name: "turned by 270 degrees", ext: "mp4", make: h264("-vf", "transpose=cclock"), turn: []string{"-display_rotation", "270"}, to: "mkv", within: ms},
		{name: "mirrored", ext: "mp4", make: h264("-vf", "hflip"), turn: []string{"-display_hflip"}, to: "mp4"},
		{name: "mirrored and turned", ext: "mov", make: h264("-vf", "transpose=clock,vflip"), turn: []string{"-display_rotation", "90", "-display_hflip"}, to: "mov"},
		{name: "odd size", ext: "mkv", size: image.Pt(127, 95), make: []string{"-pix_fmt", "yuv420p", "-c:v", "ffv1"}, to: "mp4", within: ms},
		{name: "odd size, turned", ext: "mov", size: image.Pt(127, 95), make: []string{"-vf", "transpose=clock", "-pix_fmt", "yuv420p", "-c:v", "mjpeg", "-q:v", "2"},
			turn: []string{"-display_rotation", "90"}, to: "mov"},
		{name: "anamorphic", ext: "mp4", make: h264("-vf", "setsar=16/11"), to: "mp4"},
		{name: "anamorphic, turned", ext: "mp4", make: h264("-vf", "transpose=clock,setsar=11/16"), turn: []string{"-display_rotation", "90"}, to: "mp4"},
		{name: "AVI", ext: "avi", make: intra, to: "avi"},
		{name: "AVI with B-frames", ext: "mp4", make: h264(), to: "avi", within: .0401},
		{name: "WebM", ext: "webm", make: []string{"-pix_fmt", "yuv420p", "-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M"}, to: "webm"},
		{name: "frames of VP9 that are not shown", ext: "webm", to: "webm",
			make: []string{"-pix_fmt", "yuv420p", "-c:v", "libvpx-vp9", "-cpu-used", "8", "-b:v", "300k", "-auto-alt-ref", "1", "-lag-in-frames", "16"}},
		{name: "10 bits of H.265", ext: "mp4", to: "mp4", make: []string{"-pix_fmt", "yuv420p10le", "-c:v", "libx265", "-preset", "ultrafast", "-x265-params", "log-level=none:bframes=4"}},
	}
}

// clip makes the clip.
func (c *exactCase) clip(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	raw := filepath.Join(dir, "bars.raw")
	var pix []byte
	for n := range exactFrames {
		for p := range c.size.X * c.size.Y {
			v := byte(0)
			if barCell(n, p%c.size.X*4/c.size.X+4*(p/c.size.X*4/c.size.Y)) {
				v = 255
			}
			pix = append(pix, v)
		}
	}
	if err := os.WriteFile(raw, pix, 0o644); err != nil {
		t.Fatal(err)
	}
	in, out := filepath.Join(dir, "made."+c.ext), filepath.Join(dir, "in."+c.ext)
	if c.turn == nil {
		in = out
	}
	ffmpeg(t, slices.Concat([]string{"-f", "rawvideo", "-pix_fmt", "gray", "-s", fmt.Sprintf("%dx%d", c.size.X, c.size.Y), "-r", c.rate, "-i", raw}, c.make, []string{in})...)
	if c.turn != nil {
		ffmpeg(t, slices.Concat(c.turn, []string{"-i", in, "-c", "copy", out})...)
	}
	return out
}

// ffmpeg runs FFmpeg's program, and returns what it writes.
func ffmpeg(t testing.TB, args ...string) []byte {
	t.Helper()
	out, err := exec.Command("ffmpeg", append([]string{"-nostdin", "-v", "error", "-y"}, args...)...).Output()
	if err != nil {
		t.Fatalf("ffmpeg %q: %v\n%s", args, err, stderrOf(err))
	}
	return out
}

func stderrOf(err error) []byte {
	if e, ok := err.(*exec.ExitError); ok {
		return e.Stderr
	}
	return nil
}

// shown is what ffprobe says of the frames of a video.
type shown struct {
	Frames []struct {
		Time string `json:"best_effort_timestamp_time"`
	} `json:"frames"`
	Streams []struct {
		Duration string            `json:"duration"`
		Tags     map[string]string `json:"tags"`
	} `json:"streams"`
	Format struct {
		Duration string `json:"duration"`
	} `json:"format"`
}

func framesOf(t testing.TB, path string) (s shown) {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-show_frames", "-show_streams", "-show_format", "-select_streams", "v:0", "-of", "json", path).Output()
	if err == nil {
		err = json.Unmarshal(out, &s)
	}
	if err != nil || len(s.Frames) == 0 || len(s.Streams) == 0 {
		t.Fatalf("%s: %v, %d frames\n%s", path, err, len(s.Frames), stderrOf(err))
	}
	return s
}

// seconds parses a time of ffprobe.
func seconds(t testing.TB, text string) float64 {
	t.Helper()
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// upright decodes a video as players show it: RGB with 8 bits.
func upright(t testing.TB, path string, w, h int) (frames [][]byte) {
	t.Helper()
	out := ffmpeg(t, "-i", path, "-map", "0:v:0", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-")
	if len(out)%(3*w*h) != 0 {
		t.Fatalf("%s is not of %dx%d pixels", path, w, h)
	}
	return slices.Collect(slices.Chunk(out, 3*w*h))
}

// TestExact: the n-th frame of an overlay and the n-th image of a mask sequence belong to
// the n-th frame that FFmpeg shows of the source, and have its time. All three are read
// from the pixels.
func TestExact(t *testing.T) {
	for i, c := range exactCases() {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() && i%9 != 0 {
				t.Skip("a few cases are enough for the race detector")
			}
			t.Parallel()
			c.check(t)
		})
	}
}

func (c exactCase) check(t *testing.T) {
	if c.size == (image.Point{}) {
		c.size = image.Pt(128, 96)
	}
	if c.rate == "" {
		c.rate = "25"
	}
	in, dir := c.clip(t), t.TempDir()
	out, masks := filepath.Join(dir, "out."+c.to), filepath.Join(dir, "masks")
	src := open(t, in)
	info := src.Info()
	query := car.Named("bright")
	query.Colour = "#ff0000"
	_, err := carve.Run(t.Context(), carve.Job{Source: src, Segmenter: brightSegmenter(t), Queries: []car.Query{query, car.Named("absent")},
		Tracking: &carve.Tracking{Stateless: true}, MaxSide: 160, Threads: 1,
		Sinks: []carve.Sink{&carve.Masks{Path: masks},
			&carve.Overlay{Output: video.Sink{Path: out, Preset: "veryfast"}, Style: &overlay.Style{Opacity: .5, Labels: overlay.LabelOff}}}})
	if err != nil {
		t.Fatal(err)
	}
	w, h := info.Orientation.Upright(info.Width, info.Height)
	var want []int // numbers
	for _, pix := range upright(t, in, w, h) {
		want = append(want, readBars(w, h, func(x, y int) bool { return pix[3*(y*w+x)] > 128 }))
	}
	for k, n := range want {
		if n != c.first+k || len(want) != exactFrames-c.first {
			t.Fatalf("the clip does not test what it should: it has the frames %v", want)
		}
	}
	a, b := framesOf(t, in), framesOf(t, out)
	c.checkOverlay(t, out, info, want)
	c.checkTimes(t, &a, &b)
	checkMasks(t, masks, info, want, &a)
	if code := a.Streams[0].Tags["timecode"]; code != "" || slices.Contains(c.make, "-timecode") {
		if got := b.Streams[0].Tags["timecode"]; got != code || code == "" || manifest(t, masks).Timecode != code {
			t.Errorf("the time code is %q, in the masks %q, and %q in the source", got, manifest(t, masks).Timecode, code)
		}
	}
}

// checkOverlay reads the number of each frame, and that of the mask drawn on it: of bright
// cells with a red fill green is half, of dark ones red is.
func (c *exactCase) checkOverlay(t *testing.T, path string, info video.Info, want []int) {
	t.Helper()
	even := func(n int) int { // encoders of 4:2:0 that take no odd sizes get a column more
		if c.to == "mp4" || c.to == "mov" {
			return n + n%2
		}
		return n
	}
	w, h := info.Orientation.Upright(even(info.Width), even(info.Height))
	frames := upright(t, path, w, h)
	if len(frames) != len(want) {
		t.Fatalf("the overlay has %d frames, the source %d", len(frames), len(want))
	}
	for k, pix := range frames {
		frame := readBars(w, h, func(x, y int) bool { return pix[3*(y*w+x)+1] > 64 })
		mask := readBars(w, h, func(x, y int) bool { p := pix[3*(y*w+x):]; return int(p[0])-int(p[1]) > 64 })
		if frame != want[k] || mask != want[k] {
			t.Errorf("frame %d of the overlay is frame %d with mask %d, want %d", k, frame, mask, want[k])
		}
	}
}

func (c *exactCase) checkTimes(t *testing.T, a, b *shown) {
	t.Helper()
	for k := range a.Frames {
		if x, y := seconds(t, a.Frames[k].Time), seconds(t, b.Frames[k].Time); math.Abs(x-y) > c.within+1e-9 {
			t.Errorf("frame %d of the overlay has the time %g, %g in the source", k, y, x)
			break
		}
	}
	x, y := a.Streams[0].Duration, b.Streams[0].Duration
	if x == "" || y == "" { // Matroska states one for all streams
		x, y = a.Format.Duration, b.Format.Duration
	}
	frame := (seconds(t, a.Frames[len(a.Frames)-1].Time) - seconds(t, a.Frames[0].Time)) / float64(len(a.Frames)-1)
	if math.Abs(seconds(t, x)-seconds(t, y)) > frame {
		t.Errorf("the overlay lasts %s s, and the source %s s", y, x)
	}
}

// checkMasks reads the number of each image, and the times of the manifest.
func checkMasks(t *testing.T, dir string, info video.Info, want []int, a *shown) {
	t.Helper()
	m := manifest(t, dir)
	w, h := info.Orientation.Upright(info.Width, info.Height)
	if m.Frames != int64(len(want)) || len(m.PTS) != len(want) || len(tree(t, dir)) != len(want)+1 || m.Width != w || m.Height != h {
		t.Fatalf("%d masks of %dx%d pixels with %d times, want %d of %dx%d", m.Frames, m.Width, m.Height, len(m.PTS), len(want), w, h)
	}
	for k := range want {
		img := decode(t, filepath.Join(dir, fmt.Sprintf("%06d.png", k))).(*image.Paletted)
		if n := readBars(w, h, func(x, y int) bool { return img.ColorIndexAt(x, y) == 1 }); n != want[k] || img.Rect.Dx() != w || img.Rect.Dy() != h {
			t.Errorf("mask %d belongs to frame %d, want %d", k, n, want[k])
		}
		if time := float64(m.PTS[k]) * info.TimeBase.Float(); math.Abs(time-seconds(t, a.Frames[k].Time)) > 1e-6 {
			t.Errorf("mask %d has the time %g, %s in the source", k, time, a.Frames[k].Time)
		}
	}
	if m.Concepts[0].Present != int64(len(want)) || m.Concepts[1].Present != 0 {
		t.Errorf("the concepts are present in %d and %d frames", m.Concepts[0].Present, m.Concepts[1].Present)
	}
}
