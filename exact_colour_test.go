package carve_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve"
	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/video"
)

// An encoding is an encoder's options in ffmpeg that are carve's in TestNothingFound.
type encoding struct {
	encoder string
	options []string
}

var (
	codedH264 = encoding{"libx264", []string{"-preset", "ultrafast", "-crf", "18", "-forced-idr", "1"}}
	codedH265 = encoding{"libx265", []string{"-preset", "ultrafast", "-crf", "20", "-x265-params", "log-level=none", "-forced-idr", "1"}}
	codedVP9  = encoding{"libvpx-vp9", []string{"-b:v", "0", "-row-mt", "1", "-cpu-used", "3", "-crf", "24"}}
)

// hdr10 is the mastering display and light level of a clip of H.265.
const hdr10 = "log-level=none:hdr10=1:repeat-headers=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,50):max-cll=1000,400"

// TestNothingFound: an overlay in which nothing is found is what the ffmpeg program makes of
// the source with the same encoder, to the bit, and says the same of its colours.
func TestNothingFound(t *testing.T) {
	if testing.Short() {
		t.Skip("other runs are enough for the race detector")
	}
	const (
		sdr709  = "range=tv:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
		sdr601  = "range=pc:color_primaries=bt470bg:color_trc=smpte170m:colorspace=bt470bg"
		ntsc    = "range=tv:color_primaries=smpte170m:color_trc=smpte170m:colorspace=smpte170m"
		sdr2020 = "range=tv:color_primaries=bt2020:color_trc=bt2020-10:colorspace=bt2020nc"
		full709 = "range=pc:color_primaries=bt709:color_trc=bt709:colorspace=bt709"
		pq      = "range=tv:color_primaries=bt2020:color_trc=smpte2084:colorspace=bt2020nc"
		hlg     = "range=tv:color_primaries=bt2020:color_trc=arib-std-b67:colorspace=bt2020nc"
	)
	for _, c := range []struct {
		colours, format, from, to string
		coded                     encoding
	}{
		{sdr709, "yuv420p", "mp4", "mp4", codedH264},
		{sdr601, "yuvj420p", "mp4", "mov", codedH264},
		{ntsc, "yuv422p", "mkv", "mkv", codedH264},
		{sdr709, "yuv420p", "mp4", "avi", codedH264},
		{full709, "yuv420p10le", "mov", "ts", codedH264},
		{full709, "yuv420p10le", "mp4", "mkv", codedH265},
		{sdr2020, "yuv420p10le", "mp4", "mov", codedH265},
		{pq, "yuv420p10le", "mp4", "mov", codedH265},
		{pq, "yuv420p10le", "mkv", "mp4", codedH265},
		{pq, "yuv420p10le", "ts", "mkv", codedH265},
		{pq, "yuv420p10le", "mkv", "ts", codedH265},
		{pq, "yuv420p10le", "mp4", "webm", codedVP9},
		{hlg, "yuv420p10le", "mov", "mp4", codedH265},
		{hlg, "yuv420p10le", "ts", "mov", codedH264},
		{sdr601, "yuv420p", "mkv", "webm", codedVP9},
	} {
		curve := strings.Split(strings.Split(c.colours, "color_trc=")[1], ":")[0]
		t.Run(strings.Join([]string{curve, c.format, c.from, "to", c.to}, " "), func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			in, out, plain := filepath.Join(dir, "in."+c.from), filepath.Join(dir, "out."+c.to), filepath.Join(dir, "plain."+c.to)
			how := []string{"-c:v", "libx264", "-preset", "ultrafast", "-qp", "4"}
			if curve == "smpte2084" {
				how = []string{"-c:v", "libx265", "-preset", "ultrafast", "-x265-params", hdr10}
			}
			ffmpeg(t, slices.Concat([]string{"-f", "lavfi", "-i", "testsrc2=size=96x64:rate=25:duration=0.32,format=" + c.format + ",setparams=" + c.colours}, how, []string{in})...)
			ffmpeg(t, slices.Concat([]string{"-i", in, "-threads", "1", "-fps_mode", "passthrough", "-enc_time_base", "demux", "-c:v", c.coded.encoder}, c.coded.options, []string{plain})...)
			_, err := carve.Run(t.Context(), carve.Job{Source: open(t, in), Segmenter: brightSegmenter(t), Queries: []car.Query{car.Named("absent")},
				Tracking: &carve.Tracking{Stateless: true}, MaxSide: 96, Threads: 1,
				Sinks: []carve.Sink{&carve.Overlay{Output: video.Sink{Path: out, Encoder: c.coded.encoder, Preset: "ultrafast", Threads: 1}}}})
			if err != nil {
				t.Fatal(err)
			}
			hashes := func(path string) string {
				return string(ffmpeg(t, "-i", path, "-map", "0:v", "-fps_mode", "passthrough", "-f", "streamhash", "-"))
			}
			if a, b := hashes(plain), hashes(out); a != b {
				t.Errorf("pixels are %s, and by ffmpeg %s", b, a)
			}
			a, b := coloursOf(t, in), coloursOf(t, out)
			if a != b {
				t.Errorf("the colours are %s\nand those of the source %s", b, a)
			}
			if light := strings.Contains(b, "max_content") && strings.Contains(b, "red_x"); light != (curve == "smpte2084") {
				t.Errorf("mastering display and light level: %v, %s", light, b)
			}
		})
	}
}

// coloursOf is what ffprobe says of the colours of the first frame, and its mastering
// display and light level.
func coloursOf(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.Command("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_frames", "-read_intervals", "%+#1", "-of", "json", path).Output()
	if err != nil {
		t.Fatal(err)
	}
	var said struct {
		Frames []struct {
			Format    string           `json:"pix_fmt"`
			Range     string           `json:"color_range"`
			Matrix    string           `json:"color_space"`
			Primaries string           `json:"color_primaries"`
			Transfer  string           `json:"color_transfer"`
			Chroma    string           `json:"chroma_location"`
			Side      []map[string]any `json:"side_data_list"`
		} `json:"frames"`
	}
	if err := json.Unmarshal(out, &said); err != nil || len(said.Frames) == 0 {
		t.Fatalf("%v\n%s", err, out)
	}
	f := said.Frames[0]
	text := []string{strings.Replace(f.Format, "yuvj", "yuv", 1), f.Range, f.Matrix, f.Primaries, f.Transfer, f.Chroma}
	for _, d := range f.Side {
		if kind := fmt.Sprint(d["side_data_type"]); strings.HasPrefix(kind, "Mastering") || strings.HasPrefix(kind, "Content light") {
			for _, k := range slices.Sorted(maps.Keys(d)) {
				text = append(text, fmt.Sprintf("%s=%s", k, decimal(fmt.Sprint(d[k]))))
			}
		}
	}
	return strings.Join(text, " ")
}

// decimal returns a fraction as a decimal: containers have different denominators.
func decimal(s string) string {
	var num, den float64
	if n, _ := fmt.Sscanf(s, "%f/%f", &num, &den); n == 2 {
		return fmt.Sprintf("%.4f", num/den)
	}
	return s
}
