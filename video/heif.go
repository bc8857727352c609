package video

import (
	"encoding/binary"
	"errors"
	"os"
)

// FFmpeg 7.1 reads photos in HEIF and ignores their orientation.

// heifOrientation reads the orientation from the properties of the file's primary
// image; ok is false if there is none, or if it cannot be read.
func heifOrientation(path string) (o Orientation, ok bool) {
	const most = 16 << 20
	fi, err := os.Stat(path)
	if err != nil || !fi.Mode().IsRegular() {
		return o, false
	}
	f, err := os.Open(path)
	if err != nil {
		return o, false
	}
	defer f.Close()
	errFound := errors.New("found")
	var meta []byte
	err = eachBox(f, 0, fi.Size(), "meta", func(from, to int64) error {
		if to-from > most {
			return errFound
		}
		meta = make([]byte, to-from)
		if _, err := f.ReadAt(meta, from); err != nil {
			return err
		}
		return errFound
	})
	if err != nil && !errors.Is(err, errFound) || len(meta) < 4 {
		return o, false
	}
	return parseProperties(meta[4:])
}

// parseProperties reads the orientation from the boxes within a meta box.
func parseProperties(meta []byte) (o Orientation, ok bool) {
	var primary uint32
	boxesIn(meta, func(kind string, b []byte) {
		switch {
		case kind == "pitm" && len(b) >= 6 && b[0] == 0:
			primary = uint32(binary.BigEndian.Uint16(b[4:]))
		case kind == "pitm" && len(b) >= 8 && b[0] == 1:
			primary = binary.BigEndian.Uint32(b[4:])
		}
	})
	boxesIn(meta, func(kind string, b []byte) {
		if kind != "iprp" {
			return
		}
		type property struct {
			kind    string
			content []byte
		}
		properties := []property{{}} // they are numbered from 1
		boxesIn(b, func(kind string, b []byte) {
			if kind == "ipco" {
				boxesIn(b, func(kind string, b []byte) { properties = append(properties, property{kind, b}) })
			}
		})
		boxesIn(b, func(kind string, b []byte) {
			if kind != "ipma" {
				return
			}
			for _, i := range propertiesOf(b, primary) {
				if i >= len(properties) || len(properties[i].content) == 0 {
					continue
				}
				switch value := properties[i].content[0]; properties[i].kind {
				case "irot": // anticlockwise quarter turns
					for range (4 - value&3) & 3 {
						o = o.turned()
					}
					ok = true
				case "imir":
					if value&1 == 0 {
						o.FlipY = !o.FlipY
					} else {
						o.FlipX = !o.FlipX
					}
					ok = true
				}
			}
		})
	})
	return o, ok
}

// propertiesOf returns the properties of an item, in the order in which they are
// applied.
func propertiesOf(ipma []byte, item uint32) (list []int) {
	if len(ipma) < 8 {
		return nil
	}
	wideID, wide := ipma[0] > 0, ipma[3]&1 != 0
	n, b := binary.BigEndian.Uint32(ipma[4:]), ipma[8:]
	for range n {
		var id uint32
		switch {
		case wideID && len(b) >= 5:
			id, b = binary.BigEndian.Uint32(b), b[4:]
		case !wideID && len(b) >= 3:
			id, b = uint32(binary.BigEndian.Uint16(b)), b[2:]
		default:
			return list
		}
		count := int(b[0])
		b = b[1:]
		size := 1
		if wide {
			size = 2
		}
		if len(b) < count*size {
			return list
		}
		for i := range count {
			index := int(b[i*size] & 0x7f)
			if wide {
				index = index<<8 | int(b[2*i+1])
			}
			if id == item {
				list = append(list, index)
			}
		}
		b = b[count*size:]
	}
	return list
}

// boxesIn calls do with each complete box in b.
func boxesIn(b []byte, do func(kind string, content []byte)) {
	for len(b) >= 8 {
		size := uint64(binary.BigEndian.Uint32(b))
		if size < 8 || size > uint64(len(b)) {
			return
		}
		do(string(b[4:8]), b[8:size])
		b = b[size:]
	}
}

// turned returns the orientation followed by a clockwise quarter turn.
func (o Orientation) turned() Orientation {
	return Orientation{Transpose: !o.Transpose, FlipX: !o.FlipY, FlipY: o.FlipX}
}

// displayMatrix returns the orientation as the MP4 family stores it.
func (o Orientation) displayMatrix() (m [9]int32) {
	sign := func(flip bool) int32 {
		if flip {
			return -1 << 16
		}
		return 1 << 16
	}
	if o.Transpose {
		m[3], m[1] = sign(o.FlipX), sign(o.FlipY)
	} else {
		m[0], m[4] = sign(o.FlipX), sign(o.FlipY)
	}
	m[8] = 1 << 30
	return m
}
