package video

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func box(kind string, content ...[]byte) []byte {
	b := slices.Concat(content...)
	return slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(len(b)+8)), []byte(kind), b)
}

func be16(v ...int) (b []byte) {
	for _, v := range v {
		b = binary.BigEndian.AppendUint16(b, uint16(v))
	}
	return b
}

func be32(v ...int) (b []byte) {
	for _, v := range v {
		b = binary.BigEndian.AppendUint32(b, uint32(v))
	}
	return b
}

// photo makes an image of 120 × 100 from four tiles of 64 × 64, stored as phones do
// (ISO/IEC 23008-12). properties are further ones of the main item.
func photo(t *testing.T, properties ...[]byte) string {
	t.Helper()
	var hvcC []byte
	var samples [][]byte
	for i := range 4 {
		crop := fmt.Sprintf("format=yuv420p,crop=64:64:%d:%d", i%2*64, i/2*64)
		b, err := os.ReadFile(ffmpeg(t, "tile.mp4", "-f", "lavfi", "-i", "testsrc2=size=128x128:rate=25:duration=0.04", "-vf", crop, "-frames:v", "1",
			"-c:v", "libx265", "-x265-params", "log-level=none:lossless=1", "-tag:v", "hvc1"))
		if err != nil {
			t.Fatal(err)
		}
		at := bytes.Index(b, []byte("hvcC")) - 4
		hvcC = b[at : at+int(binary.BigEndian.Uint32(b[at:]))]
		if err := eachBox(bytes.NewReader(b), 0, int64(len(b)), "mdat", func(from, to int64) error {
			samples = append(samples, b[from:to])
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	samples = append([][]byte{slices.Concat([]byte{0, 0, 1, 1}, be16(120, 100))}, samples...)
	ispe := func(w, h int) []byte { return box("ispe", be32(0, w, h)) }
	ftyp := box("ftyp", []byte("heic\x00\x00\x00\x00mif1heic"))
	meta := func(base int) []byte {
		var infos, places, uses []byte
		for i, s := range samples {
			kind := "hvc1"
			use := []byte{2, 0x81, 2}
			if i == 0 {
				kind, use = "grid", []byte{byte(1 + len(properties)), 3}
				for p := range properties {
					use = append(use, byte(0x84+p))
				}
			}
			infos = append(infos, box("infe", be32(2<<24), be16(i+1, 0), []byte(kind), []byte{0})...)
			places = append(places, slices.Concat(be16(i+1, 0, 1), be32(base, len(s)))...)
			uses = append(uses, slices.Concat(be16(i+1), use)...)
			base += len(s)
		}
		return box("meta", be32(0),
			box("hdlr", be32(0, 0), []byte("pict"), make([]byte, 13)),
			box("pitm", be32(0), be16(1)),
			box("iinf", be32(0), be16(len(samples)), infos),
			box("iref", be32(0), box("dimg", be16(1, 4, 2, 3, 4, 5))),
			box("iprp", box("ipco", append([][]byte{hvcC, ispe(64, 64), ispe(120, 100)}, properties...)...), box("ipma", be32(0, len(samples)), uses)),
			box("iloc", be32(0), []byte{0x44, 0}, be16(len(samples)), places))
	}
	file := slices.Concat(ftyp, meta(len(ftyp)+len(meta(0))+8), box("mdat", samples...))
	path := filepath.Join(t.TempDir(), "photo.heic")
	if err := os.WriteFile(path, file, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestGrid checks that a tiled photo is read as a whole and upright.
func TestGrid(t *testing.T) {
	whole := ffmpeg(t, "whole.png", "-f", "lavfi", "-i", "testsrc2=size=128x128:rate=25:duration=0.04", "-vf", "format=yuv420p,crop=120:100:0:0", "-frames:v", "1")
	turned := ffmpeg(t, "turned.png", "-i", whole, "-vf", "transpose=cclock")
	mirrored := ffmpeg(t, "mirrored.png", "-i", whole, "-vf", "hflip")
	for _, c := range []struct {
		like       string
		w, h       int
		properties [][]byte
	}{
		{whole, 120, 100, nil},
		{turned, 100, 120, [][]byte{box("irot", []byte{1})}},
		{mirrored, 120, 100, [][]byte{box("imir", []byte{1})}},
	} {
		in := photo(t, c.properties...)
		for _, to := range []string{"o.png", "o.mkv"} {
			r := transcode(t, in, to, lossless)
			if !r.info.Still || r.info.Width != 120 || r.info.Height != 100 || len(r.info.Streams) != 0 || len(r.lost) != 0 {
				t.Errorf("%+v, lost %v", r.info, r.lost)
			}
			most := 2.0
			if to == "o.png" {
				most = 8 // the ffmpeg program upsamples chroma differently
			}
			if d := difference(rawRGB(t, r.out, c.w, c.h), rawRGB(t, c.like, c.w, c.h)); d > most {
				t.Errorf("%s to %s: mean difference %.1f", filepath.Base(c.like), to, d)
			}
		}
	}
}

// TestTiles checks that a photo with a missing or broken tile is refused.
func TestTiles(t *testing.T) {
	b, err := os.ReadFile(photo(t))
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut.heic")
	for _, n := range []int{len(b) - 20, len(b) - len(b)/3} {
		if err := os.WriteFile(cut, b[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		src := &Source{Path: cut}
		if err := src.Initialize(); !errors.Is(err, ErrTiles) && !errors.Is(err, ErrNotMedia) {
			t.Errorf("%d bytes of %d: %v", n, len(b), err)
		} else {
			t.Log(err)
		}
		src.Close()
	}
	// The orientation property may contain anything.
	at := bytes.Index(b, []byte("meta"))
	for n := range 400 {
		meta := slices.Clone(b[at+8 : at+8+n])
		parseProperties(meta)
	}
}

// TestTurned checks that four quarter turns cancel out, and that each agrees with its
// matrix.
func TestTurned(t *testing.T) {
	for _, o := range []Orientation{{}, {FlipX: true}, {FlipY: true}, {Transpose: true}, {true, true, true}} {
		p := o
		for range 4 {
			p = p.turned()
			if back, exact := orientationOf(p.displayMatrix()); back != p || !exact {
				t.Errorf("%+v by its matrix is %+v", p, back)
			}
		}
		equal(t, "after four turns", p, o)
	}
	degrees, mirrored := Orientation{}.turned().Rotation()
	equal(t, "a turn", degrees, 90)
	equal(t, "mirrored", mirrored, false)
}
