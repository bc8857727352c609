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

// Texts that a model has encoded are remembered on disk, one file a checkpoint:
// the same words come with every clip, the templates and the background words
// of a preset with all of them, and a text costs as much as a good part of a
// frame. The file is a row of records,
//
//	length of the text, 4 bytes · text · numbers, 4 bytes each · CRC-32 of all before
//
// little-endian. It is only ever replaced as a whole, so that nobody sees a part
// of it, and two processes that write in turn keep one another's texts. It is a
// cache: a record that is damaged ends it, and what follows is encoded anew.
// Vectors do not depend on the precision or the device by more than rounding,
// and are made in float32.

const (
	maxRemembered = 64 << 20 // bytes, 20,000 texts; beyond it the file is begun anew
	maxTextBytes  = 1 << 16  // of one text, to tell a damaged length
)

// Writing a small file costs a millisecond, one of 40 MB (a preset of 847 names
// and 15 templates) some 200. So a file of rememberAtOnce is written whenever
// there is something new, and a larger one no more often than rememberEvery, and
// when the model is closed.
const (
	rememberAtOnce = 1 << 20
	rememberEvery  = 30 * time.Second
)

func textsFile(cache, sum string) string {
	return filepath.Join(cache, "texts", sum[:16]+".vectors")
}

// rememberedFile is where the model's texts are remembered; empty where nothing
// is to be.
func (m *Model) rememberedFile() string {
	cache := ort.CacheDir()
	if m.weights.inline || cache == "" {
		return ""
	}
	sum, err := m.fingerprint()
	if err != nil {
		m.options.Log.Warn("texts cannot be remembered", "err", err)
		return ""
	}
	return textsFile(cache, sum)
}

// readRemembered reads all whole records of a file. One that is not there has
// none, and neither has one that is longer than carve makes them.
func readRemembered(path string, width int) map[string][]float32 {
	b, err := bounded.ReadFile(path, maxRemembered)
	if err != nil {
		return map[string][]float32{}
	}
	return parseRemembered(b, width)
}

func parseRemembered(b []byte, width int) map[string][]float32 {
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
		if finite(vector) { // an older carve remembered what is not a number
			texts[string(record[4:4+n])] = vector
		}
		b = b[size:]
	}
	return texts
}

// remember puts texts into a file that others may have written meanwhile, and
// returns how many bytes it has then.
func remember(path string, texts map[string][]float32, width int) (int, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return 0, err
	}
	all := readRemembered(path, width)
	maps.Copy(all, texts)
	b := records(all)
	if len(b) > maxRemembered {
		b = records(texts)
	}
	if len(b) > maxRemembered {
		return 0, nil
	}
	return len(b), writeWhole(path, b)
}

// records encodes texts, in their order so that equal sets make equal files.
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
