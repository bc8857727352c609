package structure

import (
	"bytes"
	"encoding/binary"
)

func isRIFF(b []byte) bool {
	return bytes.HasPrefix(b, []byte("RIFF")) &&
		(bytes.Equal(b[8:12], []byte("AVI ")) || bytes.Equal(b[8:12], []byte("WEBP")))
}

// unstated tells whether a size was left unset by a writer that could not seek.
func unstated(n int64) bool { return n == 0 || n >= 0xfffffff0 }

// checkRIFF checks that the file has the size that it states, and walks the image and
// sound chunks of an AVI file.
func checkRIFF(f file) error {
	for off, steps := int64(0), 0; steps < maxSteps; steps++ {
		head, ok, err := f.bytes(off, 12)
		if err != nil {
			return err
		}
		if !ok || string(head[:4]) != "RIFF" {
			return nil // appended by another program
		}
		n := int64(binary.LittleEndian.Uint32(head[4:]))
		if unstated(n) {
			return ErrUnstated
		}
		end := off + 8 + n
		if end > f.size {
			return f.beyond("what began", off, end)
		}
		if string(head[8:]) == "AVI " || string(head[8:]) == "AVIX" {
			if err := f.walkRIFF(off+12, end, &steps, 0); err != nil {
				return err
			}
		}
		off = end + n&1
	}
	return nil
}

// walkRIFF walks the chunks from off to end, including those in lists of images and
// sound.
func (f file) walkRIFF(off, end int64, steps *int, depth int) error {
	for off <= end-8 && *steps < maxSteps {
		*steps++
		head, ok, err := f.bytes(off, 12)
		if err != nil {
			return err
		}
		if !ok { // a last chunk of less than four bytes
			head, ok, err = f.bytes(off, 8)
			if !ok || err != nil {
				return err
			}
			head = append(head, 0, 0, 0, 0)
		}
		if !printable(head[:4]) {
			return broken("there is no chunk at byte %d", off)
		}
		n := int64(binary.LittleEndian.Uint32(head[4:]))
		if string(head[:4]) == "LIST" && unstated(n) {
			return nil
		}
		if off+8+n > end {
			return broken("the chunk at byte %d goes on to byte %d, what it is in ends at %d", off, off+8+n, end)
		}
		if kind := string(head[8:]); string(head[:4]) == "LIST" && (kind == "movi" || kind == "rec ") && depth < 4 {
			if err := f.walkRIFF(off+12, off+8+n, steps, depth+1); err != nil {
				return err
			}
		}
		off += 8 + n
		if n%2 == 1 {
			// Chunks are padded to an even size, which some writers forget.
			next, ok, err := f.bytes(off+1, 4)
			if err != nil {
				return err
			}
			if ok && printable(next) || off+1 >= end {
				off++
			}
		}
	}
	return nil
}

func printable(b []byte) bool {
	for _, c := range b {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}
