package carve

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking"
)

// A Report sums up a run.
type Report struct {
	Frames     int64         // number of frames
	Start, End time.Duration // times of the first and the last frame
	Elapsed    time.Duration // how long the stages took
	KeyFrames  int64         // number of key frames
	Stopped    bool          // the run was ended by [Job.Stop]
	Queries    []QueryReport // all queries, in the order in which they were set
	Stages     []StageReport
	Sinks      []SinkReport // in the order of [Job.Sinks]
}

// A QueryReport sums up one query.
type QueryReport struct {
	ID        int
	Label     string
	Frames    int64   // frames in which it has a mask
	Presence  float32 // its highest presence, 0..1; 0 if presence is not used
	Evaluated int64   // key frames in which it was evaluated
	Judged    int64   // key frames in which it was judged
	Instances int     // the highest number of an instance; 0 if instances are not tracked
}

// A StageReport says where the time of one stage went.
type StageReport struct {
	Name    string
	Frames  int64
	Busy    time.Duration // time at work
	Waiting time.Duration // time waiting for frames
	Blocked time.Duration // time waiting for the next stage
	Queue   float64       // frames waiting for the stage, on average
}

// A SinkReport sums up one sink.
type SinkReport struct {
	Name    string
	Written int64 // number of frames written
	Dropped int64 // number of frames that came while the sink was busy, and were dropped
	Err     error // error of an optional sink
}

// PrintStages prints a table of where the time of the run went.
func (r *Report) PrintStages(w io.Writer) error {
	elapsed := max(r.Elapsed, 1)
	share := func(d time.Duration) float64 { return 100 * float64(d) / float64(elapsed) }
	_, err := fmt.Fprintf(w, "%-12s %8s %10s %8s %8s %8s %6s\n", "stage", "frames", "ms/frame", "busy", "waiting", "blocked", "queue")
	for _, s := range r.Stages {
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%-12s %8d %10.2f %6.1f %% %6.1f %% %6.1f %% %6.2f\n", s.Name, s.Frames,
			float64(s.Busy)/float64(max(s.Frames, 1))/1e6, share(s.Busy), share(s.Waiting), share(s.Blocked), s.Queue)
	}
	return err
}

// A tally collects a report. Stopped belongs to the decoding stage, all else to the stage
// that makes layers.
type tally struct {
	Report
	current []*QueryReport // reports of the current queries, by index
}

// setQueries sets the queries of the frames to come.
func (t *tally) setQueries(queries []car.Query) {
	indices := make([]int, len(queries)) // in t.Queries
	for i, q := range queries {
		at := slices.IndexFunc(t.Queries, func(r QueryReport) bool { return r.ID == q.ID })
		if at < 0 {
			at = len(t.Queries)
			t.Queries = append(t.Queries, QueryReport{ID: q.ID})
		}
		t.Queries[at].Label, indices[i] = q.Label, at
	}
	t.current = t.current[:0]
	for _, at := range indices {
		t.current = append(t.current, &t.Queries[at])
	}
}

// add counts a finished frame.
func (t *tally) add(f *Frame) {
	if t.Frames == 0 {
		t.Start = f.Time
	}
	t.Frames++
	t.End = f.Time
	if f.Decision.Key != "" {
		t.KeyFrames++
	}
	for i, q := range f.Decision.Queries {
		if q.Evaluated != "" {
			t.current[i].Evaluated++
			if q.Verdict != tracking.Reused {
				t.current[i].Judged++
			}
		}
		if *q.Shown {
			t.current[i].Frames++
		}
	}
	for _, l := range f.Layers {
		t.current[l.Query].Instances = max(t.current[l.Query].Instances, l.Instance)
	}
	for _, v := range f.Result.Verdicts {
		t.current[v.Query].Presence = max(t.current[v.Query].Presence, v.Presence)
	}
}
