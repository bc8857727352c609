package dataset

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"

	"github.com/carve-video/carve/car"
	"github.com/carve-video/carve/internal/nowhere"
	"github.com/carve-video/carve/internal/plaintext"
	"github.com/carve-video/carve/internal/strictyaml"
)

// A davisText holds the queries of one file.
type davisText struct {
	path    string
	tag     string                       // distinguishes samples if several files are used
	queries map[string]map[int]car.Query // by sequence and object number
	notes   []string                     // oddities of the file
}

// davisFiles are the published files of expressions: two annotators, shown the first
// frame or the whole video.
var davisFiles = []string{"annot1", "annot1_full_video", "annot2", "annot2_full_video"}

// davisMisspelt maps misspelt sequence names in the expressions to the right ones.
var davisMisspelt = map[string]string{"clasic-car": "classic-car", "dog-scale": "dogs-scale", "motor-bike": "motorbike"}

// davisTexts reads the queries: the user's names if given, or else the published
// expressions.
func davisTexts(root, dir string, o *Options) ([]davisText, error) {
	if o.Names != "" {
		t, err := davisNames(o.Names)
		return []davisText{t}, err
	}
	which := o.Expressions
	if which == "" {
		which = davisFiles[0]
	}
	list := []string{which}
	if which == "all" {
		list = davisFiles
	}
	var texts []davisText
	for _, name := range list {
		path := name
		if slices.Contains(davisFiles, name) {
			file := filepath.Join("davis_text_annotations", "Davis17_"+name+".txt")
			above := filepath.Join(dir, "..")
			var ok bool
			if path, ok = firstOf(root, file, filepath.Base(file)); !ok {
				path, ok = firstOf(dir, file, filepath.Base(file), filepath.Join("..", file))
			}
			if !ok {
				return nil, fmt.Errorf("what is to be asked for is not known: %w; give the expressions of Ref-DAVIS, or a file of names",
					&LayoutError{Missing: file, In: []string{dir, above}})
			}
		} else if !exists(path) {
			return nil, wrongOption("there are no expressions %q (there are %s, all, and files)", path, strings.Join(davisFiles, ", "))
		}
		t, err := davisExpressions(path)
		if err != nil {
			return nil, err
		}
		if len(list) > 1 {
			t.tag = name
		}
		texts = append(texts, t)
	}
	return texts, nil
}

// davisExpressions reads lines of a sequence, an object number and an expression in
// quotes.
func davisExpressions(path string) (davisText, error) {
	t := davisText{path: path, queries: map[string]map[int]car.Query{}}
	err := eachLine(path, func(line string) error {
		fields := strings.Fields(line)
		if len(fields) < 3 {
			return fmt.Errorf("%q is not a sequence, the number of an object and an expression", line)
		}
		number, err := davisNumber(fields[1])
		if err != nil {
			return err
		}
		text := strings.Join(fields[2:], " ")
		if text = strings.Trim(utf8Text(text), "\" "); text == "" {
			return fmt.Errorf("the expression is empty")
		}
		name := fields[0]
		if right, ok := davisMisspelt[name]; ok {
			name = right
		}
		if first, twice := t.queries[name][number]; twice {
			t.notes = append(t.notes, fmt.Sprintf("%s has several expressions for object %d of %s: %q is taken", path, number, name, first.Label))
			return nil
		}
		t.put(name, number, car.Named(text))
		return nil
	})
	return t, err
}

// davisNames reads a file of names in YAML or JSON, which is YAML too.
func davisNames(path string) (davisText, error) {
	t := davisText{path: path, queries: map[string]map[int]car.Query{}}
	data, err := plaintext.ReadFile(path, strictyaml.Limit)
	if err != nil {
		err = nowhere.Named(path, err)
		if system := (*fs.PathError)(nil); errors.As(err, &system) {
			return t, fmt.Errorf("reading names: %w", err) // it is there
		}
		return t, wrongOption("reading names: %w", err)
	}
	var m map[string]map[string]string
	if err := strictyaml.Decode(data, &m); err != nil {
		return t, wrongOption("reading names from %s: a map is expected from a sequence to a map from an object's number to its name: %w", path, err)
	}
	for name, objects := range m {
		for key, text := range objects {
			number, err := davisNumber(key)
			if err != nil {
				return t, wrongOption("reading names from %s: sequence %s: %w", path, name, err)
			}
			q, err := car.ParseQuery(text)
			if err != nil {
				return t, wrongOption("reading names from %s: sequence %s, object %d: %w", path, name, number, err)
			}
			t.put(name, number, q)
		}
	}
	return t, nil
}

func (t *davisText) put(sequence string, number int, q car.Query) {
	if t.queries[sequence] == nil {
		t.queries[sequence] = map[int]car.Query{}
	}
	t.queries[sequence][number] = q
}

// davisNumber reads an object number, which is a label of the masks.
func davisNumber(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n >= Void {
		return 0, fmt.Errorf("%q is not the number of an object, 1 to %d", s, Void-1)
	}
	return n, nil
}

// sorted returns the object numbers in order.
func sorted(objects map[int]car.Query) []int { return slices.Sorted(maps.Keys(objects)) }

// utf8Text decodes a text that is not valid UTF-8 as Latin-1, like the second
// annotator's files. Bytes that are not characters in Latin-1 are taken as
// Windows-1252; those that are not characters there either become spaces, since queries
// may not hold them.
func utf8Text(s string) string {
	if utf8.ValidString(s) {
		return plaintext.Printable(s)
	}
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(charmap.Windows1252.DecodeByte(s[i]))
	}
	return plaintext.Printable(b.String())
}
