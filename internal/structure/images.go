package structure

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
)

func isGIF(b []byte) bool {
	return bytes.HasPrefix(b, []byte("GIF87a")) || bytes.HasPrefix(b, []byte("GIF89a"))
}

// A stream reads a file sequentially and knows its position.
type stream struct {
	r   *bufio.Reader
	pos int64
	err error // the first error; after it all bytes read as zero
}

func (f file) from(pos int64) *stream {
	return &stream{r: bufio.NewReaderSize(io.NewSectionReader(f, pos, f.size-pos), 1<<16), pos: pos}
}

func (s *stream) byte() byte {
	if s.err != nil {
		return 0
	}
	b, err := s.r.ReadByte()
	if s.err = err; err == nil {
		s.pos++
	}
	return b
}

func (s *stream) skip(n int) {
	if s.err != nil {
		return
	}
	d, err := s.r.Discard(n)
	s.pos += int64(d)
	s.err = err
}

// end turns an unexpected end of the file into a fault.
func (s *stream) end(what string) error {
	if errors.Is(s.err, io.EOF) {
		return broken("it ends at byte %d within %s", s.pos, what)
	}
	return s.err
}

// checkGIF walks the blocks up to the trailer.
func checkGIF(f file) error {
	s := f.from(10)
	table := func(flags byte) {
		if flags&0x80 != 0 {
			s.skip(3 << (flags&7 + 1))
		}
	}
	blocks := func() {
		for n := s.byte(); n != 0; n = s.byte() {
			s.skip(int(n))
		}
	}
	flags := s.byte()
	s.skip(2)
	table(flags)
	for s.err == nil {
		at := s.pos
		switch kind := s.byte(); {
		case s.err != nil:
			return s.end("its pictures, before the trailer")
		case kind == ';':
			return nil
		case kind == '!':
			s.skip(1)
			blocks()
		case kind == ',':
			s.skip(8)
			table(s.byte())
			s.skip(1)
			blocks()
		default:
			return broken("there is no block of a GIF at byte %d", at)
		}
	}
	return s.end("a picture")
}

const signaturePNG = "\x89PNG\r\n\x1a\n"

func isPNG(b []byte) bool { return bytes.HasPrefix(b, []byte(signaturePNG)) }

// checkPNG walks the chunks up to IEND, each with its checksum.
func checkPNG(f file) error {
	for off := int64(len(signaturePNG)); ; {
		head, ok, err := f.bytes(off, 8)
		if err != nil {
			return err
		}
		if !ok {
			return broken("it ends at byte %d, before the last chunk", f.size)
		}
		n, kind := int64(binary.BigEndian.Uint32(head)), head[4:]
		if off+12+n > f.size {
			return f.beyond("a chunk", off, off+12+n)
		}
		sum := crc32.NewIEEE()
		if _, err := io.Copy(sum, io.NewSectionReader(f, off+4, n+4)); err != nil {
			return err
		}
		want, _, err := f.bytes(off+8+n, 4)
		if err != nil {
			return err
		}
		if binary.BigEndian.Uint32(want) != sum.Sum32() {
			return broken("the checksum of the chunk at byte %d does not fit", off)
		}
		if string(kind) == "IEND" {
			return nil
		}
		off += 12 + n
	}
}

func isJPEG(b []byte) bool { return bytes.HasPrefix(b, []byte("\xff\xd8\xff")) }

// checkJPEG walks the segments and the coded data between them to the end marker.
func checkJPEG(f file) error {
	s := f.from(0)
	s.skip(2)
	b := s.byte()
	for s.err == nil {
		// In coded data only markers matter: 0xff not followed by a data byte.
		for s.err == nil && b != 0xff {
			b = s.byte()
		}
		kind := s.byte()
		for s.err == nil && kind == 0xff {
			kind = s.byte()
		}
		b = s.byte0(kind)
		switch {
		case s.err != nil && kind != 0xd9:
			return s.end("a picture, before the mark of its end")
		case kind == 0xd9:
			return nil
		case kind < 0x80 || kind >= 0xd0 && kind <= 0xd8:
			// Coded data of JPEG, and of JPEG-LS, where more than zeros follow 0xff.
		default:
			n := int(b)<<8 | int(s.byte())
			if n < 2 {
				return broken("a segment before byte %d has no room for its own length", s.pos)
			}
			s.skip(n - 2)
			b = s.byte()
		}
	}
	return s.end("a picture, before the mark of its end")
}

// byte0 reads a byte unless the image has ended.
func (s *stream) byte0(kind byte) byte {
	if kind == 0xd9 {
		return 0
	}
	return s.byte()
}
