package dataset

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/boundedjson"
	"github.com/carve-video/carve/internal/nowhere"
	"github.com/carve-video/carve/internal/stickers"
)

var clips = kind{
	name:  "clips",
	about: "clips made by carve clips, with ground truth: J and F, presence, flicker and cost",
	layout: `  FOLDER/  (or one clip's own folder)
    CLIP/clip.mp4  (or CLIP/frames/00000.png)
    CLIP/annotations/00000.png
    CLIP/truth.json`,
	open: openClips,
}

// albumFile names the contents of a clip.
const albumFile = "truth.json"

// albumLimits allow for the contents of all frames of a video of some hours.
var albumLimits = boundedjson.Limits{Bytes: 1 << 26, Depth: 16, Count: 1 << 20}

func openClips(root string, o *Options) (*Set, error) {
	if o.Split != "" {
		return nil, wrongOption("clips have no splits, and %q was asked for", o.Split)
	}
	entries, err := os.ReadDir(root)
	if err != nil {
		return nil, nowhere.Named(root, err)
	}
	var dirs []string
	if exists(filepath.Join(root, albumFile)) {
		dirs = []string{root}
	}
	for _, e := range entries {
		if dir := filepath.Join(root, e.Name()); e.Name()[0] != '.' && exists(filepath.Join(dir, albumFile)) {
			dirs = append(dirs, dir)
		}
	}
	if len(dirs) == 0 {
		return nil, &LayoutError{Missing: filepath.Join("CLIP", albumFile), In: []string{root}}
	}
	s := &Set{Protocol: Concepts, Preset: "stickers"}
	for _, dir := range dirs {
		if o.full(s) {
			break
		}
		sample, err := openClip(dir)
		if err != nil {
			return nil, err
		}
		s.Samples = append(s.Samples, sample)
	}
	return s, nil
}

func openClip(dir string) (s Sample, err error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return s, err
	}
	s.ID, s.Folder = filepath.Base(abs), dir
	path := filepath.Join(dir, albumFile)
	var album stickers.Album
	if err := albumLimits.ReadFile(path, &album); err != nil {
		return s, fmt.Errorf("reading %s, which says what is in the clip: %w", path, err)
	}
	if len(album.Frames) == 0 {
		return s, fmt.Errorf("reading %s: it is about no frame", path)
	}
	labels := album.Frames[0].Labels
	for i, f := range album.Frames {
		if !slices.Equal(f.Labels, labels) {
			return s, fmt.Errorf("reading %s: frame %d has other labels than the first; these are scenes, not a clip", path, i)
		}
	}
	for _, name := range slices.Concat(labels, album.Absent) {
		s.Queries = append(s.Queries, car.Named(name))
	}
	if err := car.CheckQueries(s.Queries); err != nil {
		return s, fmt.Errorf("reading %s: %w", path, err)
	}
	for _, e := range album.Events {
		if e.Event == stickers.CutTo && e.Frame > 0 && e.Frame < len(album.Frames) {
			s.Cuts = append(s.Cuts, e.Frame)
		}
	}
	for i := range album.Frames {
		if err := checkFile("the mask", fmt.Sprintf("%s, frame %d", s.ID, i), filepath.Join(dir, "annotations", fmt.Sprintf("%05d.png", i))); err != nil {
			return s, err
		}
	}
	film := filepath.Join(dir, "clip.mp4")
	if exists(film) {
		s.Film = film
		s.Frames = make([]string, len(album.Frames))
		return s, nil
	}
	for i := range album.Frames {
		frame := filepath.Join(dir, "frames", fmt.Sprintf("%05d.png", i))
		if err := checkFile("the picture", fmt.Sprintf("%s, frame %d", s.ID, i), frame); err != nil {
			return s, err
		}
		s.Frames = append(s.Frames, frame)
	}
	return s, nil
}
