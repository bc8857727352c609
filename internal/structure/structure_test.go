package structure

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/color/palette"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func check(b []byte) error { return Check(bytes.NewReader(b), int64(len(b))) }

func le32(n int) []byte { return binary.LittleEndian.AppendUint32(nil, uint32(n)) }
func be32(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

func chunk(id string, body ...[]byte) []byte {
	b := bytes.Join(body, nil)
	c := slices.Concat([]byte(id), le32(len(b)), b)
	if len(b)%2 == 1 {
		c = append(c, 0)
	}
	return c
}

func box(kind string, body []byte) []byte {
	return slices.Concat(be32(8+len(body)), []byte(kind), body)
}

func oggPage(flags byte, body []byte) []byte {
	p := slices.Concat([]byte("OggS\x00"), []byte{flags}, make([]byte, 20), []byte{byte(len(body)/255 + 1)})
	for range len(body) / 255 {
		p = append(p, 255)
	}
	return slices.Concat(p, []byte{byte(len(body) % 255)}, body)
}

func flvTag(kind byte, body []byte) []byte {
	n := len(body)
	return slices.Concat([]byte{kind, byte(n >> 16), byte(n >> 8), byte(n)}, make([]byte, 7), body, be32(11+n))
}

// noise is random data without anything that could be taken for a marker.
func noise(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(0x80 | i*i%61)
	}
	return b
}

// wholes are small complete files of each known kind.
func wholes(t testing.TB) map[string][]byte {
	t.Helper()
	w := make(map[string][]byte)
	made := func(name string, err error, b *bytes.Buffer) {
		if err != nil {
			t.Fatal(err)
		}
		w[name] = b.Bytes()
	}
	var anim gif.GIF
	for i := range 3 {
		p := image.NewPaletted(image.Rect(0, 0, 20, 16), palette.Plan9)
		for j := range p.Pix {
			p.Pix[j] = byte(i + j*j)
		}
		anim.Image, anim.Delay = append(anim.Image, p), append(anim.Delay, 10)
	}
	var g, p, j bytes.Buffer
	made("gif", gif.EncodeAll(&g, &anim), &g)
	made("png", png.Encode(&p, anim.Image[1]), &p)
	made("jpg", jpeg.Encode(&j, anim.Image[2], nil), &j)

	movi := chunk("LIST", []byte("movi"), chunk("00dc", noise(300)), chunk("01wb", noise(33)), chunk("LIST", []byte("rec "), chunk("00dc", noise(7))))
	w["avi"] = chunk("RIFF", []byte("AVI "), chunk("LIST", []byte("hdrl"), chunk("avih", noise(56))), movi, chunk("idx1", noise(32)))
	w["webp"] = chunk("RIFF", []byte("WEBP"), chunk("VP8 ", noise(501)))
	w["mp4"] = slices.Concat(box("ftyp", []byte("isom0000")), box("moov", noise(99)), box("moof", noise(40)), box("mdat", noise(400)))
	w["mkv"] = slices.Concat([]byte{0x1a, 0x45, 0xdf, 0xa3, 0x84, 1, 2, 3, 4, 0x18, 0x53, 0x80, 0x67, 0x42, 0x00}, noise(512))
	w["ogg"] = slices.Concat(oggPage(2, noise(30)), oggPage(0, noise(700)), oggPage(4, noise(20)))
	w["flv"] = slices.Concat([]byte("FLV\x01\x05\x00\x00\x00\x09\x00\x00\x00\x00"), flvTag(18, noise(50)), flvTag(9, noise(500)), flvTag(8, noise(3)))
	w["ivf"] = slices.Concat([]byte("DKIF\x00\x00\x20\x00"), make([]byte, 24), le32(90), make([]byte, 8), noise(90), le32(45), make([]byte, 8), noise(45))
	var ts []byte
	for i := range 20 {
		ts = append(ts, packetOf(256, i, i == 0, 0)...)
	}
	w["ts"] = ts
	w["asf"] = asf(5, 0)
	w["rm"] = slices.Concat([]byte(".RMF\x00\x00\x00\x12"), make([]byte, 10), []byte("PROP\x00\x00\x00\x32"), make([]byte, 42),
		[]byte("DATA"), be32(10+8+900), make([]byte, 2), be32(3), make([]byte, 4), noise(900))
	w["gxf"] = slices.Concat(gxfPacket(0xbc, 84), gxfPacket(0xbf, 400), gxfPacket(0xbf, 300), gxfPacket(0xfb, 0))
	w["mxf"] = slices.Concat(partition(2, 1000), klv(0x10, noise(500)), klv(0x10, noise(1000-192-520-20)), partition(4, 1000))
	frame := slices.Concat([]byte("FRAME Ip\n"), noise(21*10+2*11*5))
	w["y4m"] = slices.Concat([]byte("YUV4MPEG2 W21 H10 F25:1 Ip A1:1 C420jpeg XYSCSS=420JPEG\n"), frame, frame, []byte("FRAME\n"), frame[9:])
	w["jls"] = slices.Concat([]byte("\xff\xd8\xff\xf7\x00\x0b\x08"), make([]byte, 8), []byte("\xff\xda\x00\x08"), make([]byte, 6),
		noise(300), []byte{0xff, 0x7f, 0xff, 0x12, 0xff, 0}, noise(300), []byte("\xff\xd9"))
	return w
}

// asf makes a file with this many packets, whose header states extra more.
func asf(packets, extra int) []byte {
	object := func(id []byte, n int, body []byte) []byte {
		return slices.Concat(id, le32(n), le32(0), body)
	}
	const size = 200
	properties := slices.Concat(make([]byte, 68), le32(size), le32(size), le32(0))
	head := object(propertiesASF, 24+len(properties), properties)
	b := slices.Concat(object(headerASF, 30+len(head), make([]byte, 6)), head)
	var data []byte
	for range packets {
		data = append(data, slices.Concat([]byte{0x82, 0, 0}, noise(size-3))...)
	}
	packets += extra
	return slices.Concat(b, object(dataASF, 50+size*packets, slices.Concat(make([]byte, 16), le32(packets), make([]byte, 6))), data)
}

func gxfPacket(kind byte, n int) []byte {
	return slices.Concat([]byte{0, 0, 0, 0, 1, kind}, be32(16+n), []byte{0, 0, 0, 0, 0xe1, 0xe2}, noise(n))
}

func klv(kind byte, body []byte) []byte {
	return slices.Concat(keyMXF, []byte{1, 2, 1, 1, 13, 1, 3, 1, kind, 1, 0, 0}, []byte{0x83, 0, byte(len(body) >> 8), byte(len(body))}, body)
}

// partition makes a partition pack of 96 bytes, followed by a filler of the same size.
func partition(kind byte, footer int) []byte {
	pack := slices.Concat(make([]byte, 28), be32(footer), make([]byte, 44))
	key := slices.Concat(partitionMXF, []byte{kind, 4, 0, 0x83, 0, 0, byte(len(pack))})
	return slices.Concat(key, pack, klv(0x20, make([]byte, 76)))
}

func TestWhole(t *testing.T) {
	for name, b := range wholes(t) {
		if err := check(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestEveryCutIsFound(t *testing.T) {
	for name, b := range wholes(t) {
		from := 520 // where a kind is recognised by more than its first bytes
		if len(b) < 600 {
			from = len(b) / 2
		}
		for n := from; n < len(b); n++ {
			// These do not state their total size; RealMedia's is not exact.
			whole := name == "ts" && n%188 == 0 || name == "flv" && (n >= len(b)-22 && n <= len(b)-18 || n >= len(b)-4) || name == "ivf" && n == len(b)-57 ||
				name == "y4m" && n == len(b)-326 || name == "mxf" && n == len(b)-96 || name == "rm" && n >= len(b)-10
			if err := check(b[:n]); !whole && !errors.Is(err, ErrBroken) {
				t.Errorf("%s of %d bytes, cut at %d: %v", name, len(b), n, err)
				break
			}
		}
	}
}

func TestWhatIsWrongInside(t *testing.T) {
	w := wholes(t)
	without := func(b []byte, at, n int) []byte { return slices.Delete(bytes.Clone(b), at, at+n) }
	with := func(b []byte, at, n int) []byte { return slices.Insert(bytes.Clone(b), at, noise(n)...) }
	flipped := bytes.Clone(w["png"])
	flipped[len(flipped)-20] ^= 1
	for name, b := range map[string][]byte{
		"avi with bytes too many": with(w["avi"], 200, 40),
		"avi with bytes missing":  append(without(w["avi"], 200, 40), make([]byte, 40)...),
		"gif with bytes too many": with(w["gif"], len(w["gif"])/2, 100),
		"gif with bytes missing":  without(w["gif"], len(w["gif"])/2, 100),
		"mp4 with bytes too many": with(slices.Concat(w["mp4"], box("moof", noise(30)), box("mdat", noise(30))), 300, 40),
		"flv with bytes missing":  without(w["flv"], 300, 40),
		"mp4 with a box of zeros": slices.Concat(w["mp4"], make([]byte, 50), box("moof", noise(30))),
		"png with a bit flipped":  flipped,
		"asf without its end":     asf(5, 1),
		"asf with bytes too many": with(w["asf"], 500, 40),
		"gxf with bytes too many": with(w["gxf"], 300, 40),
		"mxf with bytes missing":  without(w["mxf"], 300, 40),
		"mxf without its end":     w["mxf"][:1000],
		"y4m with bytes missing":  without(w["y4m"], 300, 40),
	} {
		if err := check(b); !errors.Is(err, ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatIsNoFault(t *testing.T) {
	w := wholes(t)
	trailer := []byte("what somebody has appended")
	unknown := bytes.Clone(w["mkv"])
	unknown[13], unknown[14] = 0x7f, 0xff
	for name, b := range map[string][]byte{
		"nothing":                 {},
		"text":                    []byte("not a film"),
		"gif with a trailer":      append(bytes.Clone(w["gif"]), trailer...),
		"png with a trailer":      append(bytes.Clone(w["png"]), trailer...),
		"jpg with a trailer":      append(bytes.Clone(w["jpg"]), trailer...),
		"mp4 with a trailer":      append(bytes.Clone(w["mp4"]), trailer...),
		"avi with a trailer":      append(bytes.Clone(w["avi"]), trailer...),
		"mkv of unknown size":     unknown[:300],
		"mp4 whose last is open":  slices.Concat(box("ftyp", []byte("isom0000")), be32(0), []byte("mdat"), noise(44)),
		"ts that starts anywhere": w["ts"][188*3:],
		"asf with a trailer":      append(bytes.Clone(w["asf"]), trailer...),
		"mxf with a trailer":      append(bytes.Clone(w["mxf"]), trailer...),
		"mxf to a pipe":           slices.Concat(partition(2, 0), klv(0x10, noise(500))),
		"flv without last size":   w["flv"][:len(w["flv"])-4],
		"y4m of an unknown kind":  []byte("YUV4MPEG2 W21 H10 Cstrange\nFRAME\nabc"),
	} {
		if err := check(b); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, size := range []int{0, -1} {
		piped := slices.Concat([]byte("RIFF"), le32(size), w["avi"][8:])
		if err := check(piped); !errors.Is(err, ErrUnstated) {
			t.Errorf("avi to a pipe, size %d: %v", size, err)
		}
	}
	piped := bytes.Clone(w["rm"])
	copy(piped[78:], be32(0))
	for name, b := range map[string][]byte{"rm": piped, "asf": asf(0, 0)} {
		if err := check(b); !errors.Is(err, ErrUnstated) {
			t.Errorf("%s to a pipe: %v", name, err)
		}
	}
}

// packetOf makes an MPEG-TS packet; time counts if it starts a unit.
func packetOf(pid, counter int, starts bool, time int64) []byte {
	p := append([]byte{markTS, byte(pid >> 8), byte(pid), 0x10 | byte(counter&15)}, noise(184)...)
	if starts {
		p[1] |= 0x40
		copy(p[4:], []byte{0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5,
			byte(0x21 | time>>29&0xe), byte(time >> 22), byte(1 | time>>14&0xfe), byte(time >> 7), byte(1 | time<<1)})
	}
	return p
}

func TestJoint(t *testing.T) {
	const video = 256
	// unit makes a frame of three packets, table a program table.
	unit := func(counter int, time int64) []byte {
		return slices.Concat(packetOf(video, counter, true, time), packetOf(video, counter+1, false, 0), packetOf(video, counter+2, false, 0))
	}
	table := func(counter int) []byte { return packetOf(0, counter, true, 0) }
	head := slices.Concat(table(0), table(1), unit(0, 900000))
	names := func(counter int) []byte { return packetOf(17, counter, true, 0) }
	// list is a table that names the pid of the program table.
	list := func(counter int) []byte {
		p := packetOf(0, counter, true, 0)
		copy(p[4:], []byte{0, 0, 0xb0, 13, 0, 1, 0xc1, 0, 0, 0, 1, 0xf0, 0})
		return p
	}
	program := func(counter int) []byte { return packetOf(0x1000, counter, true, 0) }
	at := int64(2 * 188)
	for name, c := range map[string]struct {
		b    []byte
		want bool
	}{
		"goes on":                      {slices.Concat(head, table(2), unit(3, 903600), unit(6, 907200), unit(9, 910800)), false},
		"starts anew":                  {slices.Concat(head, table(0), unit(0, 126000)), true},
		"starts anew after the next":   {slices.Concat(head, unit(3, 903600), table(0), unit(0, 126000)), true},
		"starts anew, later":           {slices.Concat(head, table(0), unit(0, 9000000)), true},
		"starts anew, table by chance": {slices.Concat(head, table(2), unit(0, 126000)), true},
		"only the names tell":          {slices.Concat(names(0), head, table(2), names(0), unit(0, 9000000)), true},
		"only the program tells":       {slices.Concat(list(0), program(0), head[188:], list(2), program(0), unit(0, 9000000)), true},
		"tables go on":                 {slices.Concat(list(0), program(0), head[188:], list(2), program(1), unit(0, 9000000)), false},
		"packets lost before a table":  {slices.Concat(head[:len(head)-188], table(2), unit(3, 903600)), false},
		"packets lost within":          {slices.Concat(head[:len(head)-376], head[len(head)-188:], table(2), unit(3, 903600)), false},
		"no table":                     {slices.Concat(head, unit(0, 126000)), false},
	} {
		path := filepath.Join(t.TempDir(), "x.ts")
		if err := os.WriteFile(path, slices.Concat(c.b, packetOf(0x1fff, 0, false, 0), packetOf(0x1fff, 0, false, 0)), 0o600); err != nil {
			t.Fatal(err)
		}
		at := at
		if packetTS(c.b[at:]).pid() != video {
			at += 188
		}
		got, err := Joint(path, at, video)
		if got != c.want || err != nil {
			t.Errorf("%s: %v, %v, want %v", name, got, err, c.want)
		}
		// The same found from the first packet that jumps.
		last := -1
		for pos := 0; pos < len(c.b); pos += 188 {
			p := packetTS(c.b[pos : pos+188])
			if p.pid() == video && last >= 0 && !p.follows(last) {
				if got, err := JointAt(path, int64(pos), video); got != c.want || err != nil {
					t.Errorf("%s: at %d %v, %v, want %v", name, pos, got, err, c.want)
				}
				break
			}
			if p.pid() == video {
				last = p.counter()
			}
		}
	}
	if got, err := Joint(filepath.Join(t.TempDir(), "none"), 0, video); got || err == nil {
		t.Errorf("of no file: %v, %v", got, err)
	}
}

// FuzzCheck looks for files that make Check hang, crash or fail.
func FuzzCheck(f *testing.F) {
	for _, b := range wholes(f) {
		f.Add(b)
		f.Add(b[:len(b)*2/3])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := check(b); err != nil && !errors.Is(err, ErrBroken) && !errors.Is(err, ErrUnstated) {
			t.Error(err)
		}
		for _, k := range packetsTS {
			joint(b, k.size, k.mark, 256, tables{})
			jointAt(b, k.size, 256)
		}
	})
}

func ExampleCheck() {
	b := []byte("RIFF\x64\x00\x00\x00WEBPVP8 ")
	fmt.Println(Check(bytes.NewReader(b), int64(len(b))))
	// Output: the file is cut off or broken: what began at byte 0 goes on to byte 108, the file has 16
}
