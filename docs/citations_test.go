// Package docs holds no code: its tests hold documents and code together.
package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	heading = regexp.MustCompile(`(?m)^#{2,} (\d+(?:\.\d+)*)\.? `)
	// A citation names one section or several: "algorithm.md 3.2 to 3.4, 3.6 and 11.2".
	citation = regexp.MustCompile(`algorithm\.md((?:,| and| to)? \d+(?:\.\d+)*)+`)
	number   = regexp.MustCompile(`\d+(?:\.\d+)*`)
	// A citation may go on in the next line of a comment.
	lineBreak = regexp.MustCompile(`\s*\n\s*(?://|#)?\s*`)
)

// missing returns the citations in a text that name a section without a heading, and
// how many sections are cited.
func missing(text string, sections []string) (wrong []string, cited int) {
	for _, c := range citation.FindAllString(lineBreak.ReplaceAllString(text, " "), -1) {
		for _, n := range number.FindAllString(c, -1) {
			cited++
			if !slices.Contains(sections, n) {
				wrong = append(wrong, c)
			}
		}
	}
	return wrong, cited
}

func sectionsOf(markdown string) (sections []string) {
	for _, m := range heading.FindAllStringSubmatch(markdown, -1) {
		sections = append(sections, m[1])
	}
	return sections
}

// TestCitedSections: every section of algorithm.md that code or a document cites has a
// heading there.
func TestCitedSections(t *testing.T) {
	b, err := os.ReadFile("algorithm.md")
	if err != nil {
		t.Fatal(err)
	}
	sections := sectionsOf(string(b))
	cited := 0
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir():
			if name := d.Name(); path != ".." && strings.HasPrefix(name, ".") || name == "bin" {
				return fs.SkipDir
			}
			return nil
		case !slices.Contains([]string{".go", ".md", ".sh", ".yaml"}, filepath.Ext(path)), !d.Type().IsRegular(),
			path == filepath.Join("..", "docs", "citations_test.go"): // wrong ones, on purpose
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		wrong, n := missing(string(text), sections)
		cited += n
		for _, w := range wrong {
			t.Errorf("%s cites %q, and docs/algorithm.md has no such section", path, w)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if cited < 50 {
		t.Errorf("only %d sections are cited: the test no longer finds the citations", cited)
	}
}

// TestMissing: a citation of a section that is not there is found, in whatever form.
func TestMissing(t *testing.T) {
	sections := sectionsOf("# Title\n\n## 3. f\n\n### 3.2 Trunk\n\n## 12. Quirks\n")
	for text, want := range map[string]int{
		"// f (docs/algorithm.md 3).":                         0,
		"// (algorithm.md 12, row 2), ended by 3.2.":          0,
		"// (algorithm.md 3.9)":                               1,
		"// see algorithm.md 3.2 and 3.3.":                    1,
		"// (docs/algorithm.md 3 to 3.4,\n\t// 3.2 and 12.1)": 2,
		"# algorithm.md\n# 13":                                1,
	} {
		if wrong, _ := missing(text, sections); len(wrong) != want {
			t.Errorf("%q: %d citations are wrong (%q), want %d", text, len(wrong), wrong, want)
		}
	}
}
