package carve

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/carve-video/carve/internal/pathpattern"
)

// startNumber returns the number that a sequence starts with.
func startNumber(start, input string) (int64, error) {
	switch start {
	case "":
		return 0, nil
	case StartSource:
		return sourceNumber(input)
	}
	n, err := strconv.ParseInt(start, 10, 64)
	if err != nil || n < 0 || n > maxStart {
		return 0, fmt.Errorf("start is %q; it is a number from 0 to %d, or %q", start, int64(maxStart), StartSource)
	}
	return n, nil
}

// maxStart leaves room for the frames that follow.
const maxStart = 1e15

// sourceNumber returns the number in the path of a numbered source, as 1001 in
// shot.1001.exr. That of a pattern, shot.%04d.exr, is the lowest of its files.
func sourceNumber(input string) (int64, error) {
	_, files, numbers := numberedFiles(input)
	if len(files) > 0 {
		return slices.Min(numbers), nil
	}
	base := filepath.Base(input)
	stem := strings.TrimSuffix(base, filepath.Ext(base))
	digits := stem[len(strings.TrimRight(stem, "0123456789")):]
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n > maxStart {
		return 0, fmt.Errorf("%s: its name does not end with a number to start with", input)
	}
	return n, nil
}

// isPattern reports whether a path is a pattern of numbered files.
func isPattern(path string) bool {
	p, err := pathpattern.Parse(path)
	return err == nil && p.Has(pathpattern.Frame)
}

// numberedFiles lists the files of a source whose path is a pattern.
func numberedFiles(input string) (dir string, files []string, numbers []int64) {
	p, err := pathpattern.Parse(input)
	if err != nil || !p.Has(pathpattern.Frame) {
		return "", nil, nil
	}
	if _, err := os.Stat(input); !errors.Is(err, fs.ErrNotExist) {
		return "", nil, nil // a file with a percent sign in its name
	}
	dir, rest, err := p.Cut()
	if err != nil {
		return "", nil, nil
	}
	files, numbers, err = rest.Find(os.DirFS(dir))
	if err != nil {
		return "", nil, nil
	}
	return dir, files, numbers
}
