package models

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/carve-video/carve/internal/ort"
)

// randomModel opens one of [RandomPair]. CARVE_BENCH is a folder for them and for the
// graphs built from them: 5 GB, written once.
func randomModel(b *testing.B, name string) *Model {
	b.Helper()
	root := os.Getenv("CARVE_BENCH")
	if root == "" {
		b.Skip("set CARVE_BENCH to a folder for models of real size")
	}
	b.Setenv("CARVE_CACHE", filepath.Join(root, "cache"))
	if err := MakeRandom(b.Context(), name); err != nil {
		b.Fatal(err)
	}
	return openTest(b, name, Options{Precision: os.Getenv("CARVE_BENCH_PRECISION"), SkipLastBlock: true})
}

// BenchmarkOpenPair measures a start: opening both models and creating their sessions. The
// first round builds the graphs if they are not in the cache.
func BenchmarkOpenPair(b *testing.B) {
	randomModel(b, RandomPair[0]).Close()
	for b.Loop() {
		from := rss(b)
		f, g := randomModel(b, RandomPair[0]), randomModel(b, RandomPair[1])
		_, err := f.Proposer()
		if err != nil {
			b.Fatal(err)
		}
		if _, err := g.Judge(); err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(rss(b)-from)/(1<<20), "MB-more")
		if err := errors.Join(f.Close(), g.Close()); err != nil {
			b.Fatal(err)
		}
	}
	reportRSS(b)
}

// BenchmarkTexts measures 20 queries in 15 templates, encoded and from the cache.
func BenchmarkTexts(b *testing.B) {
	var texts []string
	for i := range 20 {
		for j := range 15 {
			texts = append(texts, fmt.Sprintf("a %d photo of a %d red frisbee.", j, i))
		}
	}
	for _, known := range []bool{false, true} {
		b.Run(fmt.Sprintf("known=%v", known), func(b *testing.B) {
			m := randomModel(b, RandomPair[1])
			b.Setenv("CARVE_CACHE", b.TempDir())
			if known {
				if _, err := m.text.EncodeTexts(b.Context(), texts); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				b.StopTimer()
				m := openTest(b, m.dir, Options{})
				if _, err := m.fingerprint(); err != nil {
					b.Fatal(err)
				}
				m.text.cacheLoaded = !known // neither reads nor writes the cache
				b.StartTimer()
				if _, err := m.text.EncodeTexts(b.Context(), texts); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkSeal measures how much checking a built graph adds to opening it: the larger one
// of B/16, with the checksums and without, and the checksums alone.
func BenchmarkSeal(b *testing.B) {
	m := randomModel(b, RandomPair[0])
	n, err := classifierGraph(m.config, m.weights, true, m.options.Precision)
	if err != nil {
		b.Fatal(err)
	}
	dir, err := m.builtDir(n)
	if err != nil {
		b.Fatal(err)
	}
	load := func() (*ort.Session, error) {
		return ort.OpenSession(n.Name(), filepath.Join(dir, graphFile), n.Inputs(), n.Outputs(), ort.Options{Device: ort.CPU})
	}
	s, err := readSeal(dir)
	if err != nil {
		b.Fatal(err)
	}
	for name, open := range map[string]func() (*ort.Session, error){
		"without": load,
		"with":    func() (*ort.Session, error) { return openSealed(dir, load) },
		"alone":   func() (*ort.Session, error) { return nil, s.check(dir, weightsOfGraph) },
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(s[weightsOfGraph].Size)
			for b.Loop() {
				session, err := open()
				if err := errors.Join(err, session.Close()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
