package car

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
)

// A checkingProposer returns an error if its image has more than one colour or changes
// while it is encoded.
type checkingProposer struct{ worldProposer }

func (checkingProposer) Encode(_ context.Context, img *Image) (Features, error) {
	first := img.Pix[0]
	for range 3 {
		for i, v := range img.Pix {
			if v != first {
				return nil, fmt.Errorf("sample %d of %dx%d is %d, and the first %d", i, img.W, img.H, v, first)
			}
		}
		runtime.Gosched()
	}
	return &worldFeatures{rows: 1, cols: 1, share: [][]float32{{1}}, feature: []float32{1}, world: &world{}}, nil
}

// TestEncodeImageConcurrent: EncodeImage may run on several goroutines.
func TestEncodeImageConcurrent(t *testing.T) {
	wd := newWorld()
	s := wd.segmenter(t, worldPreset())
	s.proposer = checkingProposer{worldProposer{wd}}
	var both sync.WaitGroup
	for g := range 3 {
		both.Go(func() {
			for n := range 60 {
				// The sides are not multiples of the patch, so that the image is resized.
				img := &Image{W: 61 + 8*g, H: 43 + n%3}
				img.Pix = make([]uint8, 3*img.W*img.H)
				for i := range img.Pix {
					img.Pix[i] = uint8(40 + 60*g)
				}
				encoded, err := s.EncodeImage(t.Context(), img)
				if err != nil {
					t.Error(err)
					return
				}
				encoded.Close()
			}
		})
	}
	both.Wait()
}
