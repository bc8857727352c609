package video

import (
	"bytes"
	"io"
	"os"
	"strings"

	"github.com/asticode/go-astiav"
)

// frameSideData lists the side data of a frame that may get lost. Whether FFmpeg writes
// it into the new stream depends on the encoder and the container, so the finished file
// is inspected.
var frameSideData = []struct {
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

// keepSideData keeps the side data of the first frame, without its samples.
func (s *Source) keepSideData(f *astiav.Frame) error {
	if s.firstData == nil {
		if s.firstData = astiav.AllocFrame(); s.firstData == nil {
			return errOutOfMemory
		}
	}
	return frameCopyProperties(s.firstData, f)
}

// unreadParts lists what the decoder drops from the frames, however they are encoded.
func (s *Source) unreadParts() (lost []Loss) {
	of := s.info.video()
	if separateAlpha(s.stream) && !hasAlpha(s.info.format) {
		lost = append(lost, Loss{Stream: of, Part: "alpha", Reason: "this FFmpeg is built without libvpx, which alone reads it"})
	}
	if s.views > 1 {
		lost = append(lost, Loss{Stream: of, Part: "all views but the first", Reason: "carve reads one view of each frame"})
	}
	if s.exif {
		why := "this FFmpeg does not write it"
		if s.listener.badEXIF.Load() {
			why = "it is damaged; a rotation that it states is not applied"
		}
		lost = append(lost, Loss{Stream: of, Part: "EXIF", Reason: why, Minor: true})
	}
	return lost
}

// compareSideData reports side data that the first frame of the source has and that of
// the output lacks.
func (s *Sink) compareSideData(f *astiav.Frame) {
	if s.Source == nil || s.Source.firstData == nil || s.info.maskOnly {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, d := range frameSideData {
		if s.VideoOnly && d.kind == dataCaptions {
			continue
		}
		if frameHas(s.Source.firstData, d.kind) && !frameHas(f, d.kind) {
			s.addLoss(Loss{Stream: s.videoInfo(), Part: d.name, Minor: d.minor,
				Reason: "the encoder " + s.encoder.codec.Name() + " does not write it here"})
		}
	}
}

// exifMarks are the bytes that EXIF begins with, by the demuxer of the image.
var exifMarks = map[string]string{"jpeg_pipe": "Exif\x00\x00", "png_pipe": "eXIf", "webp_pipe": "EXIF", "mov,mp4,m4a,3gp,3g2,mj2": "Exif", "image2": "Exif\x00\x00"}

// hasEXIF reports whether an image has EXIF. It is stored before the samples or not far
// behind them.
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
