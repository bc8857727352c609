package video

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// Graphics modes of a QuickTime track, from Apple's QuickTime File Format. They are the
// only place in such a file that says how its alpha is meant: neither ProRes nor the
// Animation codec does. FFmpeg's muxer always writes 0, "copy".
const (
	graphicsStraight      = 0x100
	graphicsPremultiplied = 0x102 // with black
)

// writeAlphaMode writes how alpha is meant into a finished QuickTime file. The video is
// its first track.
func (s *Sink) writeAlphaMode(path string) (err error) {
	if !s.quickTime || !hasAlpha(s.encoder.format) || s.info.alphaMode == "" {
		return nil
	}
	mode := uint16(graphicsStraight)
	if s.info.alphaMode == Premultiplied {
		mode = graphicsPremultiplied
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	from, _, err := firstBox(f, fi.Size(), "moov", "trak", "mdia", "minf", "vmhd")
	if err != nil {
		return err
	}
	_, err = f.WriteAt(binary.BigEndian.AppendUint16(nil, mode), from+4) // after version and flags
	return err
}

// firstBox returns the range of the content of the first box of a kind in the first of
// another kind, and so on, in a file of that size.
func firstBox(f io.ReaderAt, size int64, kinds ...string) (from, to int64, err error) {
	to = size
	for _, kind := range kinds {
		found := false
		if err := eachBox(f, from, to, kind, func(a, b int64) error {
			if !found {
				from, to, found = a, b, true
			}
			return nil
		}); err != nil {
			return 0, 0, err
		}
		if !found {
			return 0, 0, fmt.Errorf("there is no box %q", kind)
		}
	}
	return from, to, nil
}
