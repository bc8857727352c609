package video

import (
	"bytes"
	"io"
	"os"
	"strings"

	"github.com/asticode/go-astiav"
)

// What goes with a picture beside its samples. Some of it FFmpeg's encoders write
// into the new stream, some of it they do not, which depends on the encoder and on
// the container: the finished file is looked at.
var besidePicture = []struct {
	kind  frameData
	name  string
	minor bool
}{
	{dataMastering, "mastering display", true},
	{dataLightLevel, "content light level", true},
	{dataHDR10Plus, "HDR10+", true},
	{dataVivid, "HDR Vivid", true},
	{dataDolbyVision, "Dolby Vision", true},
	{dataAmbient, "ambient viewing environment", true},
	{dataICC, "colour profile", true},
	{dataCaptions, "closed captions", false},
}

// remember keeps what goes with the first picture, without the picture.
func (s *Source) remember(f *astiav.Frame) error {
	if s.head == nil {
		if s.head = astiav.AllocFrame(); s.head == nil {
			return errOutOfMemory
		}
	}
	return frameCopyProperties(s.head, f)
}

// unread lists what of the pictures the decoder leaves out, whatever they are
// encoded with.
func (s *Source) unread() (lost []Loss) {
	of := s.info.video()
	if alphaBeside(s.stream) && !hasAlpha(s.info.format) {
		lost = append(lost, Loss{Stream: of, Part: "alpha", Reason: "this FFmpeg is built without libvpx, which alone reads it"})
	}
	if s.views > 1 {
		lost = append(lost, Loss{Stream: of, Part: "all views but the first", Reason: "carve reads one picture of each moment"})
	}
	if s.exif {
		why := "this FFmpeg does not write it"
		if s.heard.badEXIF.Load() {
			why = "it is damaged; a photo that it says is turned stays as it lies"
		}
		lost = append(lost, Loss{Stream: of, Part: "EXIF", Reason: why, Minor: true})
	}
	return lost
}

// compareData finds what goes with the first picture of the source and not with
// that of the output.
func (s *Sink) compareData(f *astiav.Frame) {
	if s.Source == nil || s.Source.head == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range besidePicture {
		if frameHas(s.Source.head, d.kind) && !frameHas(f, d.kind) {
			s.lose(Loss{Stream: s.videoInfo(), Part: d.name, Minor: d.minor,
				Reason: "the encoder " + s.encoder.codec.Name() + " does not write it here"})
		}
	}
}

// exifMarks are how EXIF begins, by the demuxer of the image.
var exifMarks = map[string]string{"jpeg_pipe": "Exif\x00\x00", "png_pipe": "eXIf", "webp_pipe": "EXIF", "mov,mp4,m4a,3gp,3g2,mj2": "Exif", "image2": "Exif\x00\x00"}

// hasEXIF reports whether an image has EXIF, which stands before or not far behind
// the picture.
func (s *Source) hasEXIF() bool {
	const most = 1 << 20
	mark, known := exifMarks[s.info.Container]
	if !known || !s.info.Still || s.info.Cover {
		return false
	}
	if fi, err := os.Stat(s.Path); err != nil || !fi.Mode().IsRegular() {
		return false
	}
	f, err := os.Open(s.Path)
	if err != nil {
		return false
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return false
	}
	if strings.HasPrefix(mark, "Exif\x00") && !bytes.HasPrefix(b, []byte("\xff\xd8")) {
		return false
	}
	return bytes.Contains(b, []byte(mark))
}
