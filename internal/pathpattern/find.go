package pathpattern

import (
	"errors"
	"io/fs"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// Find lists the files that a pattern can name, with the numbers of their frames; -1 if
// the pattern has none. It reads only the folders in which such files can lie.
func (p Pattern) Find(root fs.FS) (files []string, frames []int64, err error) {
	var expression strings.Builder
	for _, q := range p.parts {
		switch q.field {
		case "":
			expression.WriteString(regexp.QuoteMeta(q.text))
		case Frame:
			expression.WriteString("([0-9]+)")
		case Instance:
			expression.WriteString("[0-9]+")
		case PTS:
			expression.WriteString("-?[0-9]+")
		default:
			expression.WriteString(".+") // of one element of the path
		}
	}
	var steps []*regexp.Regexp
	for step := range strings.SplitSeq(expression.String(), "/") {
		re, err := regexp.Compile("(?s)^" + step + "$")
		if err != nil {
			return nil, nil, err
		}
		steps = append(steps, re)
	}
	err = find(root, ".", steps, -1, func(file string, frame int64) {
		files, frames = append(files, file), append(frames, frame)
	})
	return files, frames, err
}

func find(root fs.FS, dir string, steps []*regexp.Regexp, frame int64, found func(string, int64)) error {
	entries, err := fs.ReadDir(root, dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		match := steps[0].FindStringSubmatch(e.Name())
		if match == nil || (len(steps) > 1) != e.IsDir() {
			continue
		}
		n := frame
		if len(match) > 1 {
			if n, err = strconv.ParseInt(match[1], 10, 64); err != nil {
				continue // longer than a number of ours
			}
		}
		at := path.Join(dir, e.Name())
		if len(steps) == 1 {
			found(at, n)
		} else if err := find(root, at, steps[1:], n, found); err != nil {
			return err
		}
	}
	return nil
}
