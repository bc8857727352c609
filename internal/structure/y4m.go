package structure

import (
	"bytes"
	"io"
	"strconv"
	"strings"
)

const signatureY4M = "YUV4MPEG2 "

func isY4M(b []byte) bool { return bytes.HasPrefix(b, []byte(signatureY4M)) }

// checkY4M walks the frames, all of one size, each after a header line.
func checkY4M(f file) error {
	head, err := f.lineY4M(0)
	if err != nil {
		return err
	}
	if head == "" {
		return broken("it ends within its header")
	}
	size := frameY4M(head)
	if size <= 0 {
		return nil
	}
	for off, steps := int64(len(head))+1, 0; off < f.size && steps < maxSteps; steps++ {
		line, err := f.lineY4M(off)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(line, "FRAME") {
			if line == "" && f.size-off < maxLineY4M {
				return broken("it ends at byte %d within a frame", f.size)
			}
			return broken("there is no frame at byte %d", off)
		}
		end := off + int64(len(line)) + 1 + size
		if end > f.size {
			return f.beyond("the frame", off, end)
		}
		off = end
	}
	return nil
}

// maxLineY4M is larger than a line with every parameter.
const maxLineY4M = 1024

// lineY4M reads the line at off, "" if it does not end soon.
func (f file) lineY4M(off int64) (string, error) {
	var b [maxLineY4M]byte
	n, err := f.ReadAt(b[:max(0, min(maxLineY4M, f.size-off))], off)
	if err != nil && err != io.EOF {
		return "", err
	}
	line, _, ok := bytes.Cut(b[:n], []byte("\n"))
	if !ok {
		return "", nil
	}
	return string(line), nil
}

// frameY4M returns the size of a frame according to the header, or 0 if the format is
// unknown.
func frameY4M(head string) int64 {
	var w, h int64
	kind := "420jpeg"
	for _, p := range strings.Fields(head[len(signatureY4M)-1:]) {
		var err error
		switch p[0] {
		case 'W':
			w, err = strconv.ParseInt(p[1:], 10, 32)
		case 'H':
			h, err = strconv.ParseInt(p[1:], 10, 32)
		case 'C':
			kind = p[1:]
		}
		if err != nil {
			return 0
		}
	}
	const limit = 1 << 20
	if w <= 0 || h <= 0 || w > limit || h > limit {
		return 0
	}
	var samples int64
	rest, bytes := "", int64(1)
	for _, k := range []struct {
		name    string
		samples int64
	}{
		{"420", w*h + 2*((w+1)/2)*((h+1)/2)},
		{"422", w*h + 2*((w+1)/2)*h},
		{"411", w*h + 2*((w+3)/4)*h},
		{"444alpha", 4 * w * h},
		{"444", 3 * w * h},
		{"mono", w * h},
	} {
		if strings.HasPrefix(kind, k.name) {
			samples, rest = k.samples, kind[len(k.name):]
			break
		}
	}
	switch strings.TrimPrefix(rest, "p") {
	case "", "jpeg", "mpeg2", "aldv":
	case "9", "10", "12", "14", "16":
		bytes = 2
	default:
		return 0
	}
	return samples * bytes
}
