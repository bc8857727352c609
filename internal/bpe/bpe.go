// Package bpe turns text into the token ids of a CLIP, exactly as OpenAI's
// tokenizer does.
//
// Text is cleaned ([Clean]), cut into pieces (words, single digits, runs of
// signs), and every piece is written in an alphabet of 256 characters that
// stand for its UTF-8 bytes, the last of them marked as the end of a word.
// Then neighbours are joined, always the pair that the list of merges names
// first, until no pair is in the list. What is left are the tokens.
// (docs/algorithm.md 10.)
//
// Everything about a vocabulary is read from its files: how many ids there
// are, and which of them start and end a text. The ids that config.json gives
// for those are not to be relied on; many checkpoints carry wrong ones.
package bpe

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

const (
	startOfText = "<|startoftext|>"
	endOfText   = "<|endoftext|>"
	endOfWord   = "</w>"
)

// pieces splits cleaned text. The alternatives are tried in order, as in the original;
// everything between matches is blank. (?i) only matters for the contractions: the text
// is in lower case, but the long s folds to s.
var pieces = regexp.MustCompile(`(?i)<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+`)

// A Tokenizer has one vocabulary. It does not change after New and may be used from
// several goroutines.
type Tokenizer struct {
	ids        map[string]int32
	ranks      map[pair]int
	start, end int32
}

type pair struct{ left, right string }

// New reads a vocabulary from the contents of vocab.json (token to id) and
// merges.txt (one pair a line, the earlier the sooner joined).
func New(vocab, merges []byte) (*Tokenizer, error) {
	var ids map[string]int32
	if err := json.Unmarshal(vocab, &ids); err != nil {
		return nil, fmt.Errorf("failed to read vocab.json: %w", err)
	}
	return build(ids, merges)
}

func build(ids map[string]int32, merges []byte) (*Tokenizer, error) {
	t := &Tokenizer{ids: ids, ranks: map[pair]int{}}
	for token, id := range t.ids {
		if id < 0 {
			return nil, fmt.Errorf("vocab.json: token %q has the id %d", token, id)
		}
	}
	var ok bool
	if t.start, ok = t.ids[startOfText]; !ok {
		return nil, fmt.Errorf("vocab.json has no %s", startOfText)
	}
	if t.end, ok = t.ids[endOfText]; !ok {
		return nil, fmt.Errorf("vocab.json has no %s", endOfText)
	}
	for _, c := range byteChars {
		for _, s := range []string{string(c), string(c) + endOfWord} {
			if _, ok := t.ids[s]; !ok {
				return nil, fmt.Errorf("vocab.json has no %q: every byte needs a token", s)
			}
		}
	}

	s := bufio.NewScanner(bytes.NewReader(merges))
	for n := 1; s.Scan(); n++ {
		line := s.Text()
		if line == "" || n == 1 && strings.HasPrefix(line, "#version") {
			continue
		}
		left, right, ok := strings.Cut(line, " ")
		if !ok || left == "" || right == "" || strings.Contains(right, " ") {
			return nil, fmt.Errorf("merges.txt line %d: %q is not a pair", n, line)
		}
		if _, ok := t.ids[left+right]; !ok {
			return nil, fmt.Errorf("merges.txt line %d: vocab.json has no %q", n, left+right)
		}
		p := pair{left, right}
		if _, twice := t.ranks[p]; !twice {
			t.ranks[p] = len(t.ranks)
		}
	}
	if err := s.Err(); err != nil {
		return nil, fmt.Errorf("failed to read merges.txt: %w", err)
	}
	if len(t.ranks) == 0 {
		return nil, errors.New("merges.txt has no merges")
	}
	return t, nil
}

// Size returns the largest id plus one: the number of rows of a table of token
// embeddings.
func (t *Tokenizer) Size() int {
	n := int32(0)
	for _, id := range t.ids {
		n = max(n, id)
	}
	return int(n) + 1
}

// End returns the id of the end of a text, whose activation is the text's feature.
func (t *Tokenizer) End() int32 { return t.end }

// Encode returns the ids of text between those of its start and its end. It ignores the
// length of a model's context: see [Tokenizer.EncodeMax].
func (t *Tokenizer) Encode(text string) []int32 {
	ids := []int32{t.start}
	for _, piece := range pieces.FindAllString(Clean(text), -1) {
		switch piece {
		case startOfText:
			ids = append(ids, t.start)
		case endOfText:
			ids = append(ids, t.end)
		default:
			ids = t.merge(ids, piece)
		}
	}
	return append(ids, t.end)
}

// EncodeMax is Encode for a context of length max. More ids are a [TooLongError]; text
// is never truncated. The result ends with the first end of text, even if the text
// itself contains one: the feature is read there, and because attention is causal
// nothing after it counts.
func (t *Tokenizer) EncodeMax(text string, max int) ([]int32, error) {
	ids := t.Encode(text)
	if len(ids) > max {
		return nil, &TooLongError{Text: text, Tokens: len(ids), Max: max}
	}
	return ids[:slices.Index(ids, t.end)+1], nil
}

// byteChars is GPT-2's table of a printable character for each byte. Printable Latin-1
// stands for itself; the others map to U+0100 and on, in order.
var byteChars = func() (table [256]rune) {
	moved := rune(256)
	for b := range rune(256) {
		switch {
		case b >= '!' && b <= '~', b >= '¡' && b <= '¬', b >= '®' && b <= 'ÿ':
			table[b] = b
		default:
			table[b] = moved
			moved++
		}
	}
	return table
}()

// ErrTooLong is matched by every [TooLongError].
var ErrTooLong = errors.New("text is too long for the model")

// A TooLongError says that a text has more tokens than a model's context.
type TooLongError struct {
	Text   string
	Tokens int // of Text, start and end included
	Max    int // length of the context
}

func (e *TooLongError) Error() string {
	text := []rune(e.Text)
	if len(text) > 40 {
		text = append(text[:40:40], '…')
	}
	return fmt.Sprintf("text %q is too long: %d tokens, the model reads %d", string(text), e.Tokens, e.Max)
}

// Is makes errors.Is(err, ErrTooLong) true.
func (e *TooLongError) Is(target error) bool { return target == ErrTooLong }
