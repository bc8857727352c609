package video

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
)

// The header of a track in a QuickTime file has two bytes for its language: a language
// code of the old Macintosh, or the three letters of ISO 639-2 with five bits each.
// FFmpeg's muxer only writes the codes, which few languages have, and this value for
// all others.
const noLanguage = 0x7fff

// languages returns the languages of the tracks of a QuickTime file, by track number.
func (s *Sink) languages() map[uint32]uint16 {
	if s.output.OutputFormat().Name() != "mov" {
		return nil
	}
	list := make(map[uint32]uint16)
	for _, st := range s.output.Streams() {
		if code, ok := packLanguage(tagOf(st, "language")); ok {
			list[uint32(st.Index())+1] = code
		}
	}
	return list
}

// packLanguage packs the three letters of a language into two bytes.
func packLanguage(name string) (code uint16, ok bool) {
	if len(name) != 3 || name == "und" {
		return 0, false
	}
	for _, c := range []byte(name) {
		if c < 'a' || c > 'z' {
			return 0, false
		}
		code = code<<5 | uint16(c-'a'+1)
	}
	return code, true
}

// writeLanguages writes the languages into those tracks of a finished file that have
// none.
func writeLanguages(path string, languages map[uint32]uint16) (err error) {
	if len(languages) == 0 {
		return nil
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
	return eachBox(f, 0, fi.Size(), "moov", func(from, to int64) error {
		return eachBox(f, from, to, "trak", func(from, to int64) error {
			var track uint32
			if err := eachBox(f, from, to, "tkhd", func(from, _ int64) (err error) {
				track, err = trackNumber(f, from)
				return err
			}); err != nil {
				return err
			}
			code, named := languages[track]
			if !named {
				return nil
			}
			return eachBox(f, from, to, "mdia", func(from, to int64) error {
				return eachBox(f, from, to, "mdhd", func(from, _ int64) error { return setLanguage(f, from, code) })
			})
		})
	})
}

// trackNumber reads the number from the content of a track header.
func trackNumber(f io.ReaderAt, at int64) (uint32, error) {
	var b [24]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		return 0, err
	}
	if b[0] == 1 { // 64-bit times
		return binary.BigEndian.Uint32(b[20:]), nil
	}
	return binary.BigEndian.Uint32(b[12:]), nil
}

// setLanguage writes a language into the content of a media header, unless it has one.
func setLanguage(f *os.File, at int64, code uint16) error {
	var b [2]byte
	if _, err := f.ReadAt(b[:1], at); err != nil {
		return err
	}
	if at += 20; b[0] == 1 { // 64-bit times and duration
		at += 12
	}
	if _, err := f.ReadAt(b[:], at); err != nil {
		return err
	}
	if binary.BigEndian.Uint16(b[:]) != noLanguage {
		return nil
	}
	binary.BigEndian.PutUint16(b[:], code)
	_, err := f.WriteAt(b[:], at)
	return err
}

// eachBox calls do with the range of the content of each box of a kind, among the boxes
// in [from, to).
func eachBox(f io.ReaderAt, from, to int64, kind string, do func(from, to int64) error) error {
	for at := from; at+8 <= to; {
		var b [16]byte
		if _, err := f.ReadAt(b[:8], at); err != nil {
			return err
		}
		size, head := int64(binary.BigEndian.Uint32(b[:])), int64(8)
		switch size {
		case 0: // up to the end
			size = to - at
		case 1:
			if _, err := f.ReadAt(b[8:], at+8); err != nil {
				return err
			}
			size, head = int64(binary.BigEndian.Uint64(b[8:])), 16
		}
		if size < head || size > to-at {
			return fmt.Errorf("box %q at byte %d has a size of %d", b[4:8], at, size)
		}
		if string(b[4:8]) == kind {
			if err := do(at+head, at+size); err != nil {
				return err
			}
		}
		at += size
	}
	return nil
}
