package main

import (
	"testing"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/democlip"
	"github.com/carve-video/carve/models"
	"github.com/carve-video/carve/models/demo"
)

// BenchmarkFrame runs the parts of the method on one frame of the demo clip, at the
// model's 320×180.
func BenchmarkFrame(b *testing.B) {
	script, err := democlip.Script()
	if err != nil {
		b.Fatal(err)
	}
	big, _ := script.Frame(40)
	img := car.NewImage(320, 180)
	for y := range img.H {
		for x := range img.W {
			r, g, bl, _ := big.At(2*x, 2*y).RGBA()
			copy(img.Pix[3*(y*img.W+x):], []uint8{uint8(r >> 8), uint8(g >> 8), uint8(bl >> 8)})
		}
	}
	m, err := models.Open(b.Context(), demo.Name, models.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer m.Close()
	f, err := m.Proposer()
	if err != nil {
		b.Fatal(err)
	}
	g, err := m.Judge()
	if err != nil {
		b.Fatal(err)
	}
	preset, err := car.PresetNamed("stickers")
	if err != nil {
		b.Fatal(err)
	}
	seg, err := car.New(f, g, preset)
	if err != nil {
		b.Fatal(err)
	}
	var queries []car.Query
	for _, name := range democlip.Queries {
		queries = append(queries, car.Named(name))
	}
	bank, err := seg.EmbedQueries(b.Context(), queries)
	if err != nil {
		b.Fatal(err)
	}
	encode := func(b *testing.B) *car.EncodedImage {
		encoded, err := seg.EncodeImage(b.Context(), img)
		if err != nil {
			b.Fatal(err)
		}
		return encoded
	}
	step := func(b *testing.B, encoded *car.EncodedImage) *car.Outcome {
		out, err := seg.Step(b.Context(), encoded, bank, []int{0, 1, 2, 3})
		if err != nil {
			b.Fatal(err)
		}
		return out
	}
	b.Run("encode", func(b *testing.B) {
		for b.Loop() {
			encode(b).Close()
		}
	})
	b.Run("encode+step", func(b *testing.B) {
		for b.Loop() {
			encoded := encode(b)
			step(b, encoded)
			encoded.Close()
		}
	})
	b.Run("refine", func(b *testing.B) {
		encoded := encode(b)
		defer encoded.Close()
		out := step(b, encoded)
		var res car.Result
		for b.Loop() {
			if err := seg.RefineInto(b.Context(), encoded, out, &res); err != nil {
				b.Fatal(err)
			}
		}
	})
}
