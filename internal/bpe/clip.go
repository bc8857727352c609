package bpe

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"strings"
	"sync"
)

// clipMerges are the merges of OpenAI's CLIP (MIT licence, see clip/LICENSE). All CLIPs
// of OpenAI and those of OpenCLIP with its own text towers were trained with them.
// Checkpoints in OpenAI's and OpenCLIP's form do not include them.
//
//go:embed clip/merges.txt.gz
var clipMerges []byte

// CLIP is the vocabulary of OpenAI's CLIP: 49,408 tokens.
var CLIP = sync.OnceValues(func() (*Tokenizer, error) {
	merges, err := inflate(clipMerges)
	if err != nil {
		return nil, fmt.Errorf("failed to read the embedded vocabulary: %w", err)
	}
	return build(idsOf(merges), merges)
})

func inflate(b []byte) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

// idsOf numbers the tokens of the merges in the order of OpenAI's tokenizer: the
// characters of single bytes, printable ones first; the same at the end of a word; the
// result of each merge; the start and end markers.
func idsOf(merges []byte) map[string]int32 {
	ids := map[string]int32{}
	put := func(token string) {
		if _, ok := ids[token]; !ok {
			ids[token] = int32(len(ids))
		}
	}
	for _, suffix := range []string{"", endOfWord} {
		for _, moved := range []bool{false, true} {
			for b, c := range byteChars {
				if (c != rune(b)) == moved {
					put(string(c) + suffix)
				}
			}
		}
	}
	for line := range strings.Lines(string(merges)) {
		left, right, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		put(left + right)
	}
	put(startOfText)
	put(endOfText)
	return ids
}
