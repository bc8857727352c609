package dataset

import (
	"strings"

	"github.com/carve-video/carve/car"
)

// A class is what one label of a semantic set means.
type class struct {
	name string // as the publisher calls it
	text string // what the reference asks for it by (car.md section 9)
}

// parseClasses reads classes from a table with one a line: the name, and after
// "=" the text where it is another.
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

// ask puts the classes into a semantic set: its names, and the queries and labels
// that all its samples share.
func (s *Set) ask(classes []class) (queries []car.Query, labels []int) {
	for i, c := range classes {
		s.Classes = append(s.Classes, c.name)
		queries = append(queries, car.Query{Label: c.name, Phrases: []string{c.text}})
		labels = append(labels, i+1)
	}
	return queries, labels
}

// still is the sample of one picture whose labels lie in a PNG.
func still(id, picture, mask string, queries []car.Query, labels []int, table *[256]uint8) (Sample, error) {
	if err := need("the picture", id, picture); err != nil {
		return Sample{}, err
	}
	if err := need("the mask", id, mask); err != nil {
		return Sample{}, err
	}
	return Sample{
		ID: id, Frames: []string{picture}, Queries: queries, Objects: labels,
		Truth: one(id, func() (*Truth, error) { return mapped(mask, table) }),
	}, nil
}
