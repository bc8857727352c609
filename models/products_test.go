package models

import (
	"encoding/json"
	"testing"
)

// TestProducts compares the counts with values computed by hand: a product of a×b by b×c is
// 2abc operations.
func TestProducts(t *testing.T) {
	model := func(s shape, skip bool) *Model {
		m := &Model{options: Options{SkipLastBlock: skip}}
		if err := json.Unmarshal(s.config(), &m.config); err != nil {
			t.Fatal(err)
		}
		return m
	}
	b16, l14, short := model(vitBase16, false), model(vitLarge14, false), model(vitLarge14, true)
	for _, c := range []struct {
		name     string
		products []Product
		want     float64
	}{
		// 32×24 patches of 16 pixels, 769 tokens, 768 wide. A block is 24·L·D²
		// (four projections, an MLP of four times the width) and 4·L²·D.
		{"trunk", b16.TrunkProducts(512, 384),
			12*(24*769*768*768+4*769*769*768) + 2*768*768*768 + 2*(2*768*768*3072)},
		// 8·N·D² of the MLP and 2·N·D² of out_proj for each direction, 2·N·L·D of
		// the attention for each and once more for the probabilities.
		{"cam 1", b16.CAMProducts(512, 384, 1), 10*768*768*768 + 2*2*768*769*768},
		{"cam 20", b16.CAMProducts(512, 384, 20), 20*(10*768*768*768+2*768*769*768) + 2*768*769*768},
		// 16×16 patches of 14 pixels, 257 tokens, 1024 wide: 23 blocks, the patches,
		// keys and values of the last.
		{"judge 1", l14.JudgeProducts(224, 224, 1),
			23*(24*257*1024*1024+4*257*257*1024) + 2*256*588*1024 + 2*(2*257*1024*1024)},
		{"judge 4", l14.JudgeProducts(224, 224, 4),
			4 * (23*(24*257*1024*1024+4*257*257*1024) + 2*256*588*1024 + 2*(2*257*1024*1024))},
		{"judge without the last block", short.JudgeProducts(224, 224, 1),
			22*(24*257*1024*1024+4*257*257*1024) + 2*256*588*1024 + 2*(2*257*1024*1024)},
	} {
		sum := 0.0
		for _, p := range c.products {
			sum += p.Operations()
		}
		if sum != c.want {
			t.Errorf("%s: %.0f operations, want %.0f", c.name, sum, c.want)
		}
	}
}
