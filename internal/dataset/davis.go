package dataset

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/carve-video/carve/car"
)

var davis = kind{
	name:  "davis",
	about: "DAVIS 2017: 30 sequences with 61 objects, each with an expression (Ref-DAVIS); published figures are means over four files of expressions",
	layout: `  DAVIS/  (or that folder itself)
    ImageSets/2017/val.txt
    JPEGImages/480p/SEQUENCE/00000.jpg
    Annotations/480p/SEQUENCE/00000.png
  davis_text_annotations/Davis17_annot1.txt  (in that folder, beside or above it)`,
	open: openDAVIS,
}

// A davisReader holds what all sequences share.
type davisReader struct {
	images, masks string // folders of the resolution
	merged        bool   // all objects count as one, as in DAVIS 2016
}

func openDAVIS(root string, o *Options) (*Set, error) {
	dir, err := locate(root, []string{"DAVIS"}, "JPEGImages", "Annotations", "ImageSets")
	if err != nil {
		return nil, err
	}
	resolution := o.Resolution
	if resolution == "" {
		resolution = "480p"
	}
	if !filepath.IsLocal(resolution) {
		return nil, wrongOption("there is no resolution %q", resolution)
	}
	r := davisReader{images: filepath.Join(dir, "JPEGImages", resolution), masks: filepath.Join(dir, "Annotations", resolution)}
	for _, d := range []string{r.images, r.masks} {
		if !exists(d) {
			return nil, &LayoutError{Missing: filepath.Join(filepath.Base(filepath.Dir(d)), resolution), In: []string{dir}}
		}
	}
	split, is2016 := strings.CutPrefix(o.split(), "2016/")
	r.merged = is2016
	sequences, err := davisSequences(filepath.Join(dir, "ImageSets"), split, is2016)
	if err != nil {
		return nil, err
	}
	texts, err := davisTexts(root, dir, o)
	if err != nil {
		return nil, err
	}
	// No configuration was published for video. Expressions are sentences that must not
	// be dropped, as in the reference's GRES; names are what its demo uses.
	s := &Set{Protocol: VOS, Preset: "gres"}
	if o.Names != "" {
		s.Preset = "demo"
	}
	for _, text := range texts {
		s.Notes = append(s.Notes, text.notes...)
		for _, name := range sequences {
			if o.full(s) {
				return s, nil
			}
			if err := s.sequence(r, name, text); err != nil {
				return nil, err
			}
		}
	}
	return s, nil
}

// davisSequences reads the sequence names of a split. The separate package of DAVIS
// 2016 has, below the folder 480p, lists of pairs of paths instead, one for every
// frame.
func davisSequences(sets, split string, is2016 bool) ([]string, error) {
	if !is2016 {
		if !exists(filepath.Join(sets, "2017")) && exists(filepath.Join(sets, "480p")) {
			return nil, wrongOption("%s is of DAVIS 2016: its splits are 2016/train and 2016/val", sets)
		}
		return splitList(filepath.Join(sets, "2017"), split)
	}
	if exists(filepath.Join(sets, "2016")) || !exists(filepath.Join(sets, "480p")) {
		return splitList(filepath.Join(sets, "2016"), split)
	}
	path := filepath.Join(sets, "480p", split+".txt")
	if !filepath.IsLocal(split) || !exists(path) {
		return nil, wrongOption("there is no split %q in %s", split, filepath.Dir(path))
	}
	var list []string
	err := eachLine(path, func(line string) error {
		parts := strings.Split(strings.Fields(line)[0], "/")
		if len(parts) < 2 || !filepath.IsLocal(parts[len(parts)-2]) {
			return fmt.Errorf("%q is not the path of a frame", line)
		}
		if name := parts[len(parts)-2]; !slices.Contains(list, name) {
			list = append(list, name)
		}
		return nil
	})
	return list, err
}

// sequence adds a sample.
func (s *Set) sequence(r davisReader, name string, text davisText) error {
	id := name
	if text.tag != "" {
		id += "@" + text.tag
	}
	files, err := withSuffix(filepath.Join(r.images, name), ".jpg")
	if err != nil {
		return fmt.Errorf("sequence %s: %w", name, err)
	}
	if len(files) == 0 {
		return fmt.Errorf("sequence %s: there is no picture (*.jpg) in %s", name, filepath.Join(r.images, name))
	}
	sample := Sample{ID: id}
	var masks []string
	for _, f := range files {
		mask := filepath.Join(r.masks, name, stem(f)+".png")
		if err := checkFile("the mask", name+", frame "+stem(f), mask); err != nil {
			return err
		}
		sample.Frames, masks = append(sample.Frames, filepath.Join(r.images, name, f)), append(masks, mask)
	}
	sample.Truth = func(i int) (*Truth, error) {
		if i < 0 || i >= len(masks) {
			return nil, fmt.Errorf("%s has %d frames, and number %d was asked for", id, len(masks), i)
		}
		return davisTruth(masks[i], r.merged)
	}
	objects := text.queries[name]
	if len(objects) == 0 {
		return fmt.Errorf("sequence %s: %s has nothing to ask for in it", name, text.path)
	}
	if r.merged && (len(objects) > 1 || objects[1].Label == "") {
		return fmt.Errorf("sequence %s: DAVIS 2016 has one object in it, with the number 1, and %s names others: give names for it", name, text.path)
	}
	for _, number := range sorted(objects) {
		sample.Queries, sample.Objects = append(sample.Queries, objects[number]), append(sample.Objects, number)
	}
	if err := s.noteUnasked(id, masks[0], r.merged, sample.Objects); err != nil {
		return err
	}
	// Two goldfish may have the same name. One run cannot segment both: the caller has
	// to run the queries one by one.
	if err := car.CheckQueries(sample.Queries); err != nil {
		s.Notes = append(s.Notes, fmt.Sprintf("%s cannot be asked for in one go: %v", id, err))
	}
	s.Samples = append(s.Samples, sample)
	return nil
}

// noteUnasked notes the objects of the first frame that have no query. All annotated
// objects are in the first frame.
func (s *Set) noteUnasked(id, mask string, merged bool, objects []int) error {
	t, err := davisTruth(mask, merged)
	if err != nil {
		return err
	}
	var there [256]bool
	for _, l := range t.Labels {
		there[l] = true
	}
	for l := 1; l < Void; l++ {
		if there[l] && !slices.Contains(objects, l) {
			s.Notes = append(s.Notes, fmt.Sprintf("%s: nothing asks for object %d, which is not scored", id, l))
		}
	}
	return nil
}

// davisTruth reads a mask. DAVIS 2017 has palette indices, where 255 is void; DAVIS
// 2016 has black and white images, where 255 is the object.
func davisTruth(path string, merged bool) (*Truth, error) {
	p, err := readLabels(path)
	if err != nil {
		return nil, err
	}
	white := p.gray && !slices.ContainsFunc(p.Labels, func(l uint8) bool { return l != 0 && l != 255 })
	for i, l := range p.Labels {
		if l != 0 && (merged || white) {
			p.Labels[i] = 1
		}
	}
	return &p.Truth, nil
}
