package tracking_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"slices"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking"
)

// A session that is interrupted can go on later, in another process, from a checkpoint.
func ExampleSession_Restore() {
	ctx := context.Background()
	newSession := func() *tracking.Session {
		s := &tracking.Session{Tracker: tracking.Tracker{Segmenter: newSegmenter(), Queries: []car.Query{car.Named("red")}}}
		if err := s.Initialize(ctx); err != nil {
			log.Fatal(err)
		}
		return s
	}
	at := func(i int) time.Duration { return time.Duration(i) * 40 * time.Millisecond }

	// The first session asks for a checkpoint from frame 5 on, and ends with frame 12.
	var file bytes.Buffer
	var want []uint8 // its mask of frame 12
	first := newSession()
	for i := range 13 {
		next := first.Next
		if i == 5 {
			next = first.NextCheckpoint
		}
		steps, err := next(ctx, drawFrame(i), at(i))
		if err != nil {
			log.Fatal(err)
		}
		for _, step := range steps {
			if step.Checkpoint != nil {
				if _, err := step.Checkpoint.WriteTo(&file); err != nil {
					log.Fatal(err)
				}
			}
			want = firstMask(step)
			step.Close()
		}
	}

	// The second session goes on after the frame of the checkpoint.
	checkpoint, err := tracking.ReadCheckpoint(&file)
	if err != nil {
		log.Fatal(err)
	}
	second := newSession()
	if err := second.Restore(checkpoint); err != nil {
		log.Fatal(err)
	}
	var got []uint8
	for i := int(checkpoint.Frame.Frame) + 1; i < 13; i++ {
		steps, err := second.Next(ctx, drawFrame(i), at(i))
		if err != nil {
			log.Fatal(err)
		}
		for _, step := range steps {
			if step.NewShot {
				fmt.Println("the second session begins a new shot")
			}
			got = firstMask(step)
			step.Close()
		}
	}
	fmt.Println("same mask in the end:", slices.Equal(got, want))
	// Output: same mask in the end: true
}

// firstMask copies the mask of the first query.
func firstMask(step *tracking.Step) []uint8 {
	return slices.Clone(step.Result.Found[0].Mask)
}

// A preset may change some of the parameters.
func ExampleReadParams() {
	p, err := tracking.ReadParams(map[string]any{"miss_limit": 3, "retain_time": "1s"})
	fmt.Println(p.MissLimit, p.RetainTime, err)
	_, err = tracking.ReadParams(map[string]any{"mis_limit": 3})
	fmt.Println(err)
	// Output:
	// 3 1s <nil>
	// there is no tracking parameter "mis_limit"; the nearest is miss_limit
}

// A MotionAnalyzer needs no model. It finds the cuts of a video.
func ExampleMotionAnalyzer() {
	var analyzer tracking.MotionAnalyzer
	for i := range 6 {
		img := drawFrame(i)
		if i >= 4 {
			for k := range img.Pix {
				img.Pix[k] = uint8(k * k * 7) // another scene
			}
		}
		a := analyzer.Analyze(img, time.Duration(i)*40*time.Millisecond)
		if a.NewShot {
			fmt.Println("a shot begins at frame", a.Frame)
		}
		a.Close()
	}
	// Output:
	// a shot begins at frame 0
	// a shot begins at frame 4
}
