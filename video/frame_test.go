package video

import (
	"bytes"
	"context"
	"testing"
)

// TestShare checks that drawing into a shared frame changes only that one, and that
// either frame may be released first.
func TestShare(t *testing.T) {
	s := &Source{Path: clip(t, "c.mp4", "-c:v", "libx264"), Frames: 2}
	if err := s.Initialize(); err != nil {
		t.Fatal(err)
	}
	read := func(f *Frame) []byte {
		t.Helper()
		planes, err := f.View()
		if err != nil {
			t.Fatal(err)
		}
		return bytes.Clone(planes[0].Data[:160])
	}
	for i := range 3 {
		f, err := s.Read(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		before := read(f)
		a, err := f.Share()
		if err != nil {
			t.Fatal(err)
		}
		b, err := f.Share()
		if err != nil {
			t.Fatal(err)
		}
		equal(t, "time of the other", a.Time(), f.Time())
		if !bytes.Equal(read(a), before) {
			t.Error("a frame that shares has other samples")
		}
		planes, err := a.Planes()
		if err != nil {
			t.Fatal(err)
		}
		for x := range 160 {
			planes[0].Data[x] ^= 0xff
		}
		if !bytes.Equal(read(f), before) || !bytes.Equal(read(b), before) {
			t.Error("what is drawn into one frame is seen in the others")
		}
		drawn := read(a)
		f.Release()
		if i == 1 {
			s.Reserve(1) // the pool is used while shares are in flight
		}
		if !bytes.Equal(read(b), before) || !bytes.Equal(read(a), drawn) {
			t.Error("a frame changes when the one ends that it was made of")
		}
		a.Release()
		if i < 2 {
			b.Release()
			continue
		}
		s.Close()
		if !bytes.Equal(read(b), before) {
			t.Error("a frame changes when its source is closed")
		}
		b.Release()
	}
	// Shares do not count among the frames in flight, and none is left behind.
	if n := len(s.pool.free) + len(s.pool.sharing); n != 0 {
		t.Errorf("a closed pool holds %d slots", n)
	}
}

// TestTooLate checks the error of a sink that is opened after the first packets were
// read.
func TestTooLate(t *testing.T) {
	s := &Source{Path: clip(t, "c.mp4", "-c:v", "libx264")}
	if err := s.Initialize(); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	f, err := s.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	f.Release()
	sink := &Sink{Path: t.TempDir() + "/o.mp4", Source: s}
	if err := sink.Initialize(); err == nil {
		t.Error("a sink is opened when the source has been read from")
	}
}
