package dataset

import (
	_ "embed"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/carve-video/carve/car"
)

// adeNames lists the 150 classes as in objectInfo150.txt: all synonyms, separated by
// commas.
//
//go:embed ade150.txt
var adeNames string

// adeStuff are the indices of the stuff classes, counted from 0 (docs/algorithm.md section 9).
var adeStuff = []int{0, 2, 3, 4, 5, 6, 9, 13, 16, 17, 21, 26, 29, 46, 48, 52, 60, 61, 66, 68, 91, 92, 94, 113, 128}

const adeCount = 150

var ade = kind{
	name:  "ade",
	about: "ADE20K-150: 150 classes of things and stuff in 2000 images",
	layout: `  ADEChallengeData2016/  (or that folder itself)
    images/validation/ADE_val_00000001.jpg
    annotations/validation/ADE_val_00000001.png
    objectInfo150.txt  (the names; optional)`,
	open: openADE,
}

func openADE(root string, o *Options) (*Set, error) {
	dir, err := locate(root, []string{"ADEChallengeData2016"}, "images", "annotations")
	if err != nil {
		return nil, err
	}
	// The folder called validation is the split that others call val.
	split := o.split()
	switch split {
	case "val":
		split = "validation"
	case "train":
		split = "training"
	}
	if !filepath.IsLocal(split) {
		return nil, wrongOption("there is no split %q", split)
	}
	images, masks := filepath.Join(dir, "images", split), filepath.Join(dir, "annotations", split)
	for _, d := range []string{images, masks} {
		if !exists(d) {
			return nil, &LayoutError{Missing: filepath.Join(filepath.Base(filepath.Dir(d)), split), In: []string{dir}}
		}
	}
	classes, err := adeClasses(filepath.Join(dir, "objectInfo150.txt"))
	if err != nil {
		return nil, err
	}
	s := &Set{Protocol: Semantic, Preset: "context"}
	queries, labels := s.addClasses(classes)
	var stuff []string
	for _, i := range adeStuff {
		stuff = append(stuff, s.Classes[i])
	}
	// The reference's configuration for ADE-150 is that of Context except for these
	// (docs/algorithm.md section 8).
	s.adjust = func(p *car.Preset) {
		p.Lambda, p.Stuff = 0.7, slices.Clone(stuff)
		p.Prompts = [][]car.Prompt{{car.Gray, car.Blur}}
		p.StuffPrompts = [][]car.Prompt{{car.Gray, car.Blur}}
	}
	// 0 is everything outside the 150 classes. It is not scored.
	table := labelsUpTo(adeCount)
	table[0] = Void
	list, err := withSuffix(images, ".jpg")
	if err != nil {
		return nil, err
	}
	for _, file := range list {
		if o.full(s) {
			break
		}
		id := stem(file)
		sample, err := imageSample(id, filepath.Join(images, file), filepath.Join(masks, id+".png"), queries, labels, table)
		if err != nil {
			return nil, err
		}
		s.Samples = append(s.Samples, sample)
	}
	return s, nil
}

// adeClasses reads the names from the publisher's table if it is there, and else uses
// the embedded ones.
func adeClasses(path string) ([]class, error) {
	var list []class
	if !exists(path) {
		for line := range strings.Lines(adeNames) {
			list = append(list, adeClass(strings.TrimSpace(line)))
		}
		return list, nil
	}
	// Tabs separate the columns. The class number is the first, the names are the last;
	// the columns between are frequencies.
	err := eachLine(path, func(line string) error {
		fields := strings.Split(line, "\t")
		n, err := strconv.Atoi(strings.TrimSpace(fields[0]))
		if err != nil && len(list) == 0 && strings.HasPrefix(line, "Idx") {
			return nil
		}
		name := strings.TrimSpace(fields[len(fields)-1])
		if err != nil || len(fields) < 2 || name == "" {
			return fmt.Errorf("there is no number and name in %q", line)
		}
		if n != len(list)+1 {
			return fmt.Errorf("class %d follows class %d", n, len(list))
		}
		list = append(list, adeClass(name))
		return nil
	})
	if err == nil && len(list) != adeCount {
		err = fmt.Errorf("%s names %d classes, not %d", path, len(list), adeCount)
	}
	return list, err
}

// adeClass makes a class from a list of synonyms. Its name is the first one. The text
// of the reference has all, with a comma after every single word: "door, double, door".
func adeClass(synonyms string) class {
	divider := func(r rune) bool { return r == ',' || r == ';' || r == ' ' }
	name, _, _ := strings.Cut(strings.ReplaceAll(synonyms, ";", ","), ",")
	return class{strings.TrimSpace(name), strings.Join(strings.FieldsFunc(synonyms, divider), ", ")}
}
