package bpe

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

// slowMerge works like the original: it merges the best pair everywhere, and repeats.
func (t *Tokenizer) slowMerge(ids []int32, piece string) []int32 {
	parts := make([]string, len(piece))
	for i := range len(piece) {
		parts[i] = string(byteChars[piece[i]])
	}
	parts[len(parts)-1] += endOfWord
	for len(parts) > 1 {
		best, rank := pair{}, math.MaxInt
		for i := range len(parts) - 1 {
			p := pair{parts[i], parts[i+1]}
			if r, ok := t.ranks[p]; ok && r < rank {
				best, rank = p, r
			}
		}
		if rank == math.MaxInt {
			break
		}
		joined := parts[:0]
		for i := 0; i < len(parts); i++ {
			if i+1 < len(parts) && parts[i] == best.left && parts[i+1] == best.right {
				joined = append(joined, best.left+best.right)
				i++
			} else {
				joined = append(joined, parts[i])
			}
		}
		parts = joined
	}
	for _, p := range parts {
		ids = append(ids, t.ids[p])
	}
	return ids
}

// random makes pieces of few letters, in which a pair occurs often.
func random(rng *rand.Rand, letters string, n int) string {
	var b strings.Builder
	for range n {
		b.WriteByte(letters[rng.IntN(len(letters))])
	}
	return b.String()
}

func TestMerge(t *testing.T) {
	clip, err := CLIP()
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	// An untrained list of merges: pairs may come before those that they are made of.
	odd := &Tokenizer{ids: map[string]int32{}, ranks: map[pair]int{}}
	for range 300 {
		p := pair{random(rng, "ab", 1+rng.IntN(3)), random(rng, "ab", 1+rng.IntN(3))}
		if _, twice := odd.ranks[p]; !twice {
			odd.ranks[p] = len(odd.ranks)
			odd.ids[p.left], odd.ids[p.right], odd.ids[p.left+p.right] = int32(3*len(odd.ranks)), int32(3*len(odd.ranks)+1), int32(3*len(odd.ranks)+2)
		}
	}
	for _, c := range []struct {
		t       *Tokenizer
		letters string
	}{{clip, "etaoinshrdlu"}, {clip, "aab"}, {clip, "!.-=_*"}, {clip, "\xc3\xa9e"}, {odd, "ab"}} {
		for i := range 200 {
			piece := random(rng, c.letters, 1+i)
			if got, want := c.t.merge(nil, piece), c.t.slowMerge(nil, piece); !slices.Equal(got, want) {
				t.Fatalf("%q: %v, want %v", piece, got, want)
			}
		}
	}
}

// A word of 100 KB once took a minute.
func TestLongWord(t *testing.T) {
	clip, err := CLIP()
	if err != nil {
		t.Fatal(err)
	}
	from := time.Now()
	ids := clip.Encode(random(rand.New(rand.NewPCG(1, 2)), "etaoinshrdlu", 100_000))
	if took := time.Since(from); took > 20*time.Second || len(ids) < 5_000 {
		t.Errorf("%d tokens in %v", len(ids), took)
	}
}
