package models

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/golden"
)

// benchmarks runs a benchmark with several models: the embedded one, a golden one, and
// those of published sizes if CARVE_BENCH is the folder for them.
func benchmarks(b *testing.B, run func(b *testing.B, m *Model)) {
	b.Run("demo", func(b *testing.B) { run(b, openTest(b, "demo", Options{})) })
	b.Run("micro-f", func(b *testing.B) { run(b, openTest(b, golden.Dir(b, "models", "micro-f"), Options{})) })
	for _, name := range RandomPair {
		b.Run(name, func(b *testing.B) { run(b, randomModel(b, name)) })
	}
}

// sizes calls each with sizes of images that are typical of the pipeline.
func sizes(m *Model, each func(w, h int)) {
	p := m.config.Vision.PatchSize
	up := func(n int) int { return (n + p - 1) / p * p }
	for _, s := range [][2]int{{320, 180}, {640, 360}} {
		each(up(s[0]), up(s[1]))
	}
}

func BenchmarkTrunk(b *testing.B) {
	benchmarks(b, func(b *testing.B, m *Model) {
		p, err := m.Proposer()
		if err != nil {
			b.Fatal(err)
		}
		sizes(m, func(w, h int) {
			b.Run(fmt.Sprintf("%dx%d", w, h), func(b *testing.B) {
				img := noise(w, h, 1)
				loop(b, func() error {
					v, err := p.Encode(b.Context(), img)
					if err == nil {
						v.Close()
					}
					return err
				})
			})
		})
	})
}

// BenchmarkTrunkBatch measures the time per image of a batch, which is shorter on devices
// that one image does not use fully.
func BenchmarkTrunkBatch(b *testing.B) {
	benchmarks(b, func(b *testing.B, m *Model) {
		p, err := m.Proposer()
		if err != nil {
			b.Fatal(err)
		}
		for _, n := range []int{1, 2, 4, 8} {
			b.Run(fmt.Sprint(n), func(b *testing.B) {
				var images []*car.Image
				for i := range n {
					images = append(images, noise(640, 368, uint64(i+1)))
				}
				loop(b, func() error {
					features, err := p.(car.BatchProposer).EncodeBatch(b.Context(), images)
					for _, v := range features {
						v.Close()
					}
					return err
				})
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/image")
			})
		}
	})
}

func BenchmarkCAM(b *testing.B) {
	benchmarks(b, func(b *testing.B, m *Model) {
		p, err := m.Proposer()
		if err != nil {
			b.Fatal(err)
		}
		sizes(m, func(w, h int) {
			v, err := p.Encode(b.Context(), noise(w, h, 1))
			if err != nil {
				b.Fatal(err)
			}
			defer v.Close()
			for _, k := range []int{1, 4, 20} {
				b.Run(fmt.Sprintf("%dx%d/K%d", w, h, k), func(b *testing.B) {
					u := directions(m, k)
					loop(b, func() error {
						_, err := v.CAM(b.Context(), u)
						return err
					})
				})
			}
		})
	})
}

func BenchmarkJudge(b *testing.B) {
	benchmarks(b, func(b *testing.B, m *Model) {
		j, err := m.Judge()
		if err != nil {
			b.Fatal(err)
		}
		for _, n := range []int{1, 4, 16} {
			b.Run(fmt.Sprintf("%d", n), func(b *testing.B) {
				images := make([]*car.Image, n)
				for i := range images {
					images[i] = noise(j.InputSize(), j.InputSize(), uint64(i))
				}
				loop(b, func() error {
					_, err := j.EncodeImages(b.Context(), images)
					return err
				})
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*n), "µs/image")
			})
		}
	})
}

func BenchmarkText(b *testing.B) {
	benchmarks(b, func(b *testing.B, m *Model) {
		texts := make([]string, 64)
		for i := range texts {
			texts[i] = fmt.Sprintf("There is a large %s in the scene.", strings.Repeat("dog ", i%4))
		}
		ids := make([][]int32, len(texts))
		for i, text := range texts {
			ids[i] = m.text.tokenizer.Encode(text)
		}
		loop(b, func() error {
			_, err := m.text.run(b.Context(), ids)
			return err
		})
		b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(texts)), "µs/text")
	})
}

// cpuTime is the processor time of the process, which depends less on other load of the
// machine than wall-clock time.
func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// loop is b.Loop, and reports processor time and resident memory.
func loop(b *testing.B, f func() error) {
	b.Helper()
	if err := f(); err != nil { // one-time work
		b.Fatal(err)
	}
	var from time.Duration
	for first := true; b.Loop(); first = false {
		if first {
			from = cpuTime(b)
		}
		if err := f(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpuTime(b)-from).Microseconds())/1e3/float64(b.N), "cpu-ms/op")
	reportRSS(b)
}

// reportRSS reports the resident memory of the process, in MB.
func reportRSS(b *testing.B) {
	b.ReportMetric(float64(rss(b))/(1<<20), "MB-RSS")
}

// rss is the resident memory of the process in bytes.
func rss(t testing.TB) int64 {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("resident memory is read from /proc")
	}
	s, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	var total, resident int64
	if _, err := fmt.Sscan(string(s), &total, &resident); err != nil {
		t.Fatal(err)
	}
	return resident * int64(os.Getpagesize())
}
