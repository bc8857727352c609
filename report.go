package carve

import (
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/tracking"
)

// A Report is what a run came to.
type Report struct {
	Frames     int64         // that were done
	Start, End time.Duration // times of the first and of the last
	Elapsed    time.Duration // that the stages took
	KeyFrames  int64         // that the model looked at
	Stopped    bool          // by [Job.Stop]
	Queries    []QueryReport // of all that were looked for, in the order in which they were set
	Stages     []StageReport
	Sinks      []SinkReport // in the order of [Job.Sinks]
}

// A QueryReport is what became of one query.
type QueryReport struct {
	ID        int
	Label     string
	Frames    int64   // in which it was to be seen
	Presence  float32 // the highest, 0..1; 0 if it was not weighed
	Evaluated int64   // key frames in which it was asked for
	Judged    int64   // of them, those in which it was judged
	Instances int     // the highest number of a thing of it; 0 where they are not told apart
}

// A StageReport says where the time of one stage went.
type StageReport struct {
	Name    string
	Frames  int64
	Busy    time.Duration // at work
	Waiting time.Duration // for frames
	Blocked time.Duration // by the next stage
	Queue   float64       // frames waiting for it, on average
}

// A SinkReport says how a sink fared.
type SinkReport struct {
	Name    string
	Written int64 // frames
	Dropped int64 // frames that came while it was busy
	Err     error // of an optional sink
}

// PrintStages writes a table of where the time of a run went.
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

// A tally counts for a report. Of it, Stopped belongs to the decoding stage, and all else
// to the one that finishes frames.
type tally struct {
	Report
	of []*QueryReport // by place among the queries of the frame at hand
}

// set makes these queries those of the frames that come.
func (t *tally) set(queries []car.Query) {
	places := make([]int, len(queries))
	for i, q := range queries {
		at := slices.IndexFunc(t.Queries, func(r QueryReport) bool { return r.ID == q.ID })
		if at < 0 {
			at = len(t.Queries)
			t.Queries = append(t.Queries, QueryReport{ID: q.ID})
		}
		t.Queries[at].Label, places[i] = q.Label, at
	}
	t.of = t.of[:0]
	for _, at := range places {
		t.of = append(t.of, &t.Queries[at])
	}
}

// add counts a frame that is done.
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
			t.of[i].Evaluated++
			if q.Verdict != tracking.Reused {
				t.of[i].Judged++
			}
		}
		if *q.Shown {
			t.of[i].Frames++
		}
	}
	for _, l := range f.Layers {
		t.of[l.Query].Instances = max(t.of[l.Query].Instances, l.Instance)
	}
	for _, v := range f.Result.Verdicts {
		t.of[v.Query].Presence = max(t.of[v.Query].Presence, v.Presence)
	}
}
