package carve

import (
	"path/filepath"

	"github.com/carve-video/carve/internal/maskmanifest"
	"github.com/carve-video/carve/internal/pathpattern"
	"github.com/carve-video/carve/video"
)

// manifest describes what has been written.
func (m *Masks) manifest() maskmanifest.Manifest {
	info := &m.stream.Info
	out := maskmanifest.Manifest{Version: maskmanifest.VersionOne, Kind: maskmanifest.Kind,
		Width: m.format.width, Height: m.format.height, Format: m.format.String(), Bits: m.format.bits,
		Split: string(m.split()), Values: maskmanifest.ValuesCoverage,
		Start: m.start + m.first, Frames: int64(len(m.pts)), Rate: known(info.Rate()), TimeBase: known(info.TimeBase), Timecode: info.Timecode,
		Concepts: []maskmanifest.Concept{}}
	degrees, mirrored := info.Orientation.Rotation()
	out.Source = maskmanifest.Source{Name: filepath.Base(info.Path), Width: info.Width, Height: info.Height,
		Rotation: degrees, Mirrored: mirrored, SampleAspect: known(info.SampleAspect), FirstFrame: m.first}
	if info.Path == "" {
		out.Source.Name = ""
	}
	if m.format.indexed {
		out.Files, out.Values = m.pattern.String(), maskmanifest.ValuesConcept
		if m.Instances {
			out.Values = maskmanifest.ValuesInstance
		}
	}
	for _, c := range m.concepts {
		one := c.Concept
		for _, in := range c.instances {
			if in.Until != 0 {
				out.Version = maskmanifest.VersionReused
			}
			one.Instances = append(one.Instances, in.Instance)
		}
		out.Concepts = append(out.Concepts, one)
	}
	out.PTS = m.pts
	for i := 0; m.pattern.Has(pathpattern.Timecode) && i < len(m.pts); i++ {
		out.Timecodes = append(out.Timecodes, m.time(i).Timecode)
	}
	return out
}

// known returns a fraction as text, and nothing for one that is not known.
func known(r video.Rational) string {
	if !r.Known() {
		return ""
	}
	return r.String()
}
