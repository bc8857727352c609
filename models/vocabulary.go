package models

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/carve-video/carve/internal/bounded"
	"github.com/carve-video/carve/internal/bpe"
)

// readVocabulary reads the vocabulary of a folder. Without one it returns CLIP's own, which
// is embedded, if the size is that of the model.
func readVocabulary(fsys fs.FS, size int) (*bpe.Tokenizer, error) {
	vocab, err := bounded.ReadFS(fsys, "vocab.json", maxVocabulary)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := fs.Stat(fsys, "merges.txt"); err == nil {
			return nil, fmt.Errorf("there is a merges.txt without vocab.json: %w", fs.ErrNotExist)
		}
		t, err := bpe.CLIP()
		if err == nil && t.Size() != size {
			return nil, fmt.Errorf("there is no vocab.json, and CLIP's own vocabulary has %d tokens where the model has %d", t.Size(), size)
		}
		return t, err
	}
	if err != nil {
		return nil, err
	}
	merges, err := bounded.ReadFS(fsys, "merges.txt", maxVocabulary)
	if err != nil {
		return nil, err
	}
	t, err := bpe.New(vocab, merges)
	if err != nil {
		return nil, err
	}
	if t.Size() > size {
		return nil, fmt.Errorf("vocab.json goes up to the id %d, the model has %d (vocab_size)", t.Size()-1, size)
	}
	return t, nil
}
