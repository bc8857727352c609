package main

import (
	"io"
	"slices"

	"github.com/carve-video/carve/internal/score"
	"github.com/carve-video/carve/internal/ui"
)

// The forms of --json.
type (
	statJSON struct {
		Mean   figure `json:"mean"`
		Recall figure `json:"recall"`
		Decay  figure `json:"decay"`
	}
	presenceJSON struct {
		Frames       int    `json:"frames"`
		There        int    `json:"there"`
		Found        int    `json:"found"`
		Both         int    `json:"both"`
		Precision    figure `json:"precision"`
		Recall       figure `json:"recall"`
		FalsePresent figure `json:"false_present_rate"`
		Reentries    int    `json:"reentries"`
		Missed       int    `json:"reentries_missed"`
		Latency      []int  `json:"reentry_latency_frames"`
		MeanLatency  figure `json:"mean_reentry_latency_frames"`
	}
	flickerJSON struct {
		Coverage         figure  `json:"coverage"`
		Area             figure  `json:"area"`
		Stability        figure  `json:"stability"`
		Worst            figure  `json:"stability_p5"`
		Jitter           figure  `json:"area_jitter"`
		Toggles          figure  `json:"toggles"`
		TogglesPerMinute figure  `json:"toggles_per_minute"`
		Instability      *figure `json:"lost_stability,omitempty"`
		ExtraJitter      *figure `json:"extra_area_jitter,omitempty"`
		ExtraToggles     *figure `json:"extra_toggles,omitempty"`
		ExtraPerMinute   *figure `json:"extra_toggles_per_minute,omitempty"`
	}
	regionsJSON struct {
		J  statJSON `json:"j"`
		F  statJSON `json:"f"`
		JF figure   `json:"j_and_f"`
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

func (r *trackReport) writeJSON(w io.Writer) error {
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

// summary is what every report's last line has.
func (e *evaluation) summary(frames int) summaryJSON {
	s := summaryJSON{MessageType: "summary", Frames: frames, Width: e.result.W, Height: e.result.H, Objects: len(e.pairs), FPS: e.fps}
	if e.truth != nil {
		s.Protocol = e.protocol
	}
	return s
}

func toRegionsJSON(r score.Regions) *regionsJSON {
	stat := func(s score.Stat) statJSON { return statJSON{figure(s.Mean), figure(s.Recall), figure(s.Decay)} }
	return &regionsJSON{stat(r.J), stat(r.F), figure(r.JF())}
}

func toPresenceJSON(p score.Presence) *presenceJSON {
	return &presenceJSON{p.Frames, p.There, p.Found, p.Both, figure(p.Precision()), figure(p.Recall()), figure(p.FalsePresent()),
		p.Reentries, p.Missed, slices.Concat([]int{}, p.Latency), figure(p.MeanLatency())}
}

// toFlickerJSON names the columns of flickerFigures.
func toFlickerJSON(v []float64) flickerJSON {
	j := flickerJSON{Coverage: figure(v[0]), Area: figure(v[1]), Stability: figure(v[2]), Worst: figure(v[3]),
		Jitter: figure(v[4]), Toggles: figure(v[5]), TogglesPerMinute: figure(v[6])}
	if len(v) > 7 {
		j.Instability, j.ExtraJitter = new(figure(v[7])), new(figure(v[8]))
		j.ExtraToggles, j.ExtraPerMinute = new(figure(v[9])), new(figure(v[10]))
	}
	return j
}
