package structure

import "bytes"

func isOgg(b []byte) bool { return bytes.HasPrefix(b, []byte("OggS\x00")) }

// maxPage is the maximal size of an Ogg page.
const maxPage = 27 + 255 + 255*255

// checkOgg checks that the last page is complete and ends a stream.
func checkOgg(f file) error {
	from := max(0, f.size-2*maxPage)
	tail, ok, err := f.bytes(from, int(f.size-from))
	if !ok || err != nil {
		return err
	}
	i := bytes.LastIndex(tail, []byte("OggS\x00"))
	if i < 0 {
		return broken("there is no page of Ogg at its end")
	}
	at, page := from+int64(i), tail[i:]
	if len(page) < 27 || len(page) < 27+int(page[26]) {
		return broken("it ends at byte %d within a page", f.size)
	}
	end := 27 + int(page[26])
	for _, n := range page[27:end] {
		end += int(n)
	}
	if end > len(page) {
		return f.beyond("the page", at, at+int64(end))
	}
	if page[5]&4 == 0 {
		return broken("the last page does not end its stream")
	}
	return nil
}

// packetsTS are the sizes of an MPEG-TS packet and the offset of its sync byte: plain,
// with a time before it, with a checksum after it.
var packetsTS = []struct{ size, mark int }{{188, 0}, {192, 4}, {204, 0}}

const markTS = 0x47

func isTS(b []byte) bool { return kindTS(b) >= 0 }

func kindTS(b []byte) int {
	for i, k := range packetsTS {
		if b[k.mark] == markTS && b[k.mark+k.size] == markTS {
			return i
		}
	}
	return -1
}

// checkTS checks that the last packet is complete. Nothing else in such a file says
// where it ends.
func checkTS(f file) error {
	head, ok, err := f.bytes(0, 512)
	if !ok || err != nil {
		return err
	}
	k := packetsTS[kindTS(head)]
	const packets = 8 // that must be aligned
	n := min(packets, int(f.size)/k.size) * k.size
	from := f.size - int64(n)
	tail, ok, err := f.bytes(from, n)
	if !ok || err != nil {
		return err
	}
	for phase := range k.size {
		agree := true
		for i := phase; i < n; i += k.size {
			agree = agree && tail[i] == markTS
		}
		if whole := (n - phase + k.mark) % k.size; agree && whole != 0 {
			return broken("it ends at byte %d within a packet", f.size)
		} else if agree {
			return nil
		}
	}
	return nil
}
