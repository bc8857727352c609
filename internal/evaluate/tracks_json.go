package evaluate

import (
	"io"
	"slices"

	"github.com/carve-video/carve/internal/score"
	"github.com/carve-video/carve/internal/ui"
)

// The forms of --json.
type (
	statJSON struct {
		Mean   Figure `json:"mean"`
		Recall Figure `json:"recall"`
		Decay  Figure `json:"decay"`
	}
	presenceJSON struct {
		Frames       int    `json:"frames"`
		There        int    `json:"there"`
		Found        int    `json:"found"`
		Both         int    `json:"both"`
		Precision    Figure `json:"precision"`
		Recall       Figure `json:"recall"`
		FalsePresent Figure `json:"false_present_rate"`
		Reentries    int    `json:"reentries"`
		Missed       int    `json:"reentries_missed"`
		Latency      []int  `json:"reentry_latency_frames"`
		MeanLatency  Figure `json:"mean_reentry_latency_frames"`
	}
	flickerJSON struct {
		Coverage         Figure  `json:"coverage"`
		Area             Figure  `json:"area"`
		Stability        Figure  `json:"stability"`
		Worst            Figure  `json:"stability_p5"`
		Jitter           Figure  `json:"area_jitter"`
		Toggles          Figure  `json:"toggles"`
		TogglesPerMinute Figure  `json:"toggles_per_minute"`
		Instability      *Figure `json:"lost_stability,omitempty"`
		ExtraJitter      *Figure `json:"extra_area_jitter,omitempty"`
		ExtraToggles     *Figure `json:"extra_toggles,omitempty"`
		ExtraPerMinute   *Figure `json:"extra_toggles_per_minute,omitempty"`
	}
	regionsJSON struct {
		J  statJSON `json:"j"`
		F  statJSON `json:"f"`
		JF Figure   `json:"j_and_f"`
	}
	trackJSON struct {
		MessageType string `json:"message_type"`
		Object      string `json:"object"`
		ID          int    `json:"id,omitempty"`
		InTruth     *bool  `json:"in_truth,omitempty"`
		InResult    bool   `json:"in_result"`
		*regionsJSON
		Presence *presenceJSON `json:"presence,omitempty"`
		Flicker  flickerJSON   `json:"flicker"`
	}
	summaryJSON struct {
		MessageType string  `json:"message_type"`
		Protocol    string  `json:"protocol,omitempty"`
		Frames      int     `json:"frames"`
		Width       int     `json:"width"`
		Height      int     `json:"height"`
		Objects     int     `json:"objects"`
		FPS         float64 `json:"fps,omitempty"`
		*regionsJSON
		Presence *presenceJSON `json:"presence,omitempty"`
		Flicker  *flickerJSON  `json:"flicker,omitempty"` // means over the objects
	}
)

func (r *trackReport) WriteJSON(w io.Writer) error {
	for _, o := range r.objects {
		line := trackJSON{MessageType: "object", Object: o.String(), ID: o.ID, InResult: o.Result >= 0, Flicker: toFlickerJSON(r.flickerFigures(o.flicker))}
		if r.tracks.HasTruth {
			inTruth := o.InTruth()
			line.InTruth, line.Presence = &inTruth, toPresenceJSON(o.presence)
		}
		if o.regions != nil {
			line.regionsJSON = toRegionsJSON(*o.regions)
		}
		if err := ui.WriteJSONLine(w, line); err != nil {
			return err
		}
	}
	line := r.summary(r.tracks.Frames)
	line.Flicker = new(toFlickerJSON(r.meanFlicker()))
	if r.tracks.HasTruth {
		line.regionsJSON, line.Presence = toRegionsJSON(r.regions), toPresenceJSON(r.presence)
	}
	return ui.WriteJSONLine(w, line)
}

// summary is the last line of every report.
func (e *Evaluation) summary(frames int) summaryJSON {
	s := summaryJSON{MessageType: "summary", Frames: frames, Width: e.result.W, Height: e.result.H, Objects: len(e.pairs), FPS: e.options.FPS}
	if e.truth != nil {
		s.Protocol = e.options.Protocol
	}
	return s
}

func toRegionsJSON(r score.Regions) *regionsJSON {
	stat := func(s score.Stat) statJSON { return statJSON{Figure(s.Mean), Figure(s.Recall), Figure(s.Decay)} }
	return &regionsJSON{stat(r.J), stat(r.F), Figure(r.JF())}
}

func toPresenceJSON(p score.Presence) *presenceJSON {
	return &presenceJSON{p.Frames, p.There, p.Found, p.Both, Figure(p.Precision()), Figure(p.Recall()), Figure(p.FalsePresent()),
		p.Reentries, p.Missed, slices.Concat([]int{}, p.Latency), Figure(p.MeanLatency())}
}

// toFlickerJSON names the columns of flickerFigures.
func toFlickerJSON(v []float64) flickerJSON {
	j := flickerJSON{Coverage: Figure(v[0]), Area: Figure(v[1]), Stability: Figure(v[2]), Worst: Figure(v[3]),
		Jitter: Figure(v[4]), Toggles: Figure(v[5]), TogglesPerMinute: Figure(v[6])}
	if len(v) > 7 {
		j.Instability, j.ExtraJitter = new(Figure(v[7])), new(Figure(v[8]))
		j.ExtraToggles, j.ExtraPerMinute = new(Figure(v[9])), new(Figure(v[10]))
	}
	return j
}
