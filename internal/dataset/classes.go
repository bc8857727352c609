package dataset

import (
	"strings"

	"github.com/carve-video/carve/car"
)

// A class is the meaning of one label of a semantic set.
type class struct {
	name string // as the publisher calls it
	text string // what the reference asks for it by (docs/algorithm.md 9)
}

// parseClasses reads a table with one class a line: the name, and, if the text differs,
// "=" and the text.
func parseClasses(table string) []class {
	var list []class
	for line := range strings.Lines(table) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		name, text, other := strings.Cut(line, "=")
		if !other {
			text = name
		}
		list = append(list, class{name, text})
	}
	return list
}

// addClasses sets the class names of a semantic set and returns the queries and labels
// that all its samples share.
func (s *Set) addClasses(classes []class) (queries []car.Query, labels []int) {
	for i, c := range classes {
		s.Classes = append(s.Classes, c.name)
		queries = append(queries, car.Query{Label: c.name, Phrases: []string{c.text}})
		labels = append(labels, i+1)
	}
	return queries, labels
}

// imageSample is the sample of one image whose labels are a PNG.
func imageSample(id, imagePath, mask string, queries []car.Query, labels []int, table *[256]uint8) (Sample, error) {
	if err := checkFile("the picture", id, imagePath); err != nil {
		return Sample{}, err
	}
	if err := checkFile("the mask", id, mask); err != nil {
		return Sample{}, err
	}
	return Sample{
		ID: id, Frames: []string{imagePath}, Queries: queries, Objects: labels,
		Truth: singleFrame(id, func() (*Truth, error) { return readMapped(mask, table) }),
	}, nil
}
