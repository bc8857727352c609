package models

import (
	"encoding/binary"
	"hash/crc32"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/carve-video/carve/internal/bounded"
	"github.com/carve-video/carve/internal/ort"
)

// The vectors of texts are cached on disk, in one file per checkpoint. The same texts are
// used for many videos, such as the templates and background words of a preset, and
// encoding one takes a considerable part of the time of a frame. The file is a sequence of
// records,
//
//	length of the text, 4 bytes · text · numbers, 4 bytes each · CRC-32 of all before
//
// little-endian. It is replaced atomically, and a process that writes it keeps the texts
// of others. A damaged record ends it; the texts after it are encoded again. Vectors are
// computed in float32; they depend on the device by rounding only.

const (
	maxTextFile  = 64 << 20 // bytes, 20,000 texts; a larger file is started again
	maxTextBytes = 1 << 16  // of one text, to detect a damaged length
)

// Writing a small file takes a millisecond, one of 40 MB (a preset of 847 names and 15
// templates) some 200. A file of up to smallTextFile is therefore written whenever there is
// a new text. A larger one is written once per saveInterval, and when the model is closed.
const (
	smallTextFile = 1 << 20
	saveInterval  = 30 * time.Second
)

func textCachePath(cache, sum string) string {
	return filepath.Join(cache, "texts", sum[:16]+".vectors")
}

// textCacheFile is the path of the model's text cache; it is empty for none.
func (m *Model) textCacheFile() string {
	cache := ort.CacheDir()
	if m.weights.inline || cache == "" {
		return ""
	}
	sum, err := m.fingerprint()
	if err != nil {
		m.options.Log.Warn("texts cannot be cached", "err", err)
		return ""
	}
	return textCachePath(cache, sum)
}

// readTextCache reads all complete records of a file. A missing file has none, and neither
// has one that is larger than carve writes.
func readTextCache(path string, width int) map[string][]float32 {
	b, err := bounded.ReadFile(path, maxTextFile)
	if err != nil {
		return map[string][]float32{}
	}
	return parseTextCache(b, width)
}

func parseTextCache(b []byte, width int) map[string][]float32 {
	texts := map[string][]float32{}
	for len(b) >= 4 {
		n := int(binary.LittleEndian.Uint32(b))
		size := 4 + n + 4*width + 4
		if n > maxTextBytes || len(b) < size {
			break
		}
		record := b[:size-4]
		if crc32.ChecksumIEEE(record) != binary.LittleEndian.Uint32(b[size-4:]) {
			break
		}
		vector := make([]float32, width)
		for i := range vector {
			vector[i] = math.Float32frombits(binary.LittleEndian.Uint32(record[4+n+4*i:]))
		}
		if finite(vector) { // older versions also cached NaN
			texts[string(record[4:4+n])] = vector
		}
		b = b[size:]
	}
	return texts
}

// updateTextCache adds texts to a file that other processes may have written meanwhile, and
// returns its new size in bytes.
func updateTextCache(path string, texts map[string][]float32, width int) (int, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return 0, err
	}
	all := readTextCache(path, width)
	maps.Copy(all, texts)
	b := records(all)
	if len(b) > maxTextFile {
		b = records(texts)
	}
	if len(b) > maxTextFile {
		return 0, nil
	}
	return len(b), writeAtomic(path, b)
}

// records encodes texts in sorted order, so that equal sets give equal files.
func records(texts map[string][]float32) []byte {
	size := 0
	for text, v := range texts {
		size += 4 + len(text) + 4*len(v) + 4
	}
	b := make([]byte, 0, size)
	for _, text := range slices.Sorted(maps.Keys(texts)) {
		if len(text) > maxTextBytes {
			continue
		}
		from := len(b)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
		b = append(b, text...)
		for _, v := range texts[text] {
			b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
		}
		b = binary.LittleEndian.AppendUint32(b, crc32.ChecksumIEEE(b[from:]))
	}
	return b
}
