package models

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/carve-video/carve/internal/ort"
)

// Texts that a model has encoded are remembered on disk, one file a checkpoint:
// the same words come with every clip, the templates and the background words
// of a preset with all of them, and a text costs as much as a good part of a
// frame. The file is a row of records,
//
//	length of the text, 4 bytes · text · numbers, 4 bytes each · CRC-32 of all before
//
// little-endian, and only grows. It is a cache: a record that is damaged ends
// it, and what follows is encoded anew. Vectors do not depend on the precision
// or the device by more than rounding, and are made in float32.

const (
	maxRemembered = 256 << 20 // bytes; beyond it the file is begun anew
	maxTextBytes  = 1 << 16   // of one text, to tell a damaged length
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

// readRemembered reads all whole records of a file; whole is how many bytes
// they take. A file that is not there has none.
func readRemembered(path string, width int) (texts map[string][]float32, whole int64) {
	texts = map[string][]float32{}
	b, err := os.ReadFile(path)
	if err != nil {
		return texts, 0
	}
	rest := b
	for len(rest) >= 4 {
		n := int(binary.LittleEndian.Uint32(rest))
		size := 4 + n + 4*width + 4
		if n > maxTextBytes || len(rest) < size {
			break
		}
		record := rest[:size-4]
		if crc32.ChecksumIEEE(record) != binary.LittleEndian.Uint32(rest[size-4:]) {
			break
		}
		vector := make([]float32, width)
		for i := range vector {
			vector[i] = math.Float32frombits(binary.LittleEndian.Uint32(record[4+n+4*i:]))
		}
		texts[string(record[4:4+n])] = vector
		rest = rest[size:]
	}
	return texts, int64(len(b) - len(rest))
}

// remember adds texts to a file whose first whole bytes are known to be good,
// and returns how many that are then. Usually that is all of it, and the new
// ones go behind; if another process has written meanwhile, or the end was
// damaged, the file is put together anew.
func remember(path string, whole int64, texts map[string][]float32, width int) (int64, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return whole, err
	}
	b := records(texts)
	size := int64(0)
	if st, err := os.Stat(path); err == nil {
		size = st.Size()
	}
	switch {
	case size+int64(len(b)) > maxRemembered:
	case size != whole:
		old, _ := readRemembered(path, width)
		maps.Copy(old, texts)
		b = records(old)
	default:
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
		if err != nil {
			return whole, err
		}
		_, err = f.Write(b)
		return whole + int64(len(b)), errors.Join(err, f.Close())
	}
	return int64(len(b)), writeWhole(path, b)
}

// records encodes texts, in their order so that equal sets make equal files.
func records(texts map[string][]float32) []byte {
	var b []byte
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
