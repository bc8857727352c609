package dataset

import (
	"fmt"
	"slices"
	"strings"

	"github.com/carve-video/carve/internal/bounded"
	"github.com/carve-video/carve/internal/pickle"
)

// Bounds of a file of refs. The largest of the three sets has 50 000 refs with 142 000
// sentences, in some tens of megabytes.
const (
	maxRefs      = 1 << 29 // bytes
	maxSentences = 1 << 20
)

// A ref is an annotated object and the sentences people wrote for it.
type ref struct {
	id, annotation, image int64
	sentences             []string
}

// readRefs reads the refs of a split: a pickle of a list of dicts that hold only plain
// values.
func readRefs(path, split string) ([]ref, error) {
	data, err := bounded.ReadFile(path, maxRefs)
	if err != nil {
		return nil, err
	}
	v, err := pickle.Plain(data)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	list, ok := v.(*pickle.List)
	if !ok {
		return nil, fmt.Errorf("reading %s: it is no list of refs but a %T", path, v)
	}
	var refs []ref
	var splits []string
	count := 0
	for i, item := range list.Items {
		d, ok := item.(*pickle.Dict)
		if !ok {
			return nil, fmt.Errorf("reading %s: ref %d is no dict but a %T", path, i, item)
		}
		its, err := field[string](d, "split")
		if err != nil {
			return nil, fmt.Errorf("reading %s: ref %d: %w", path, i, err)
		}
		if !inSplit(its, split) {
			if len(splits) < 20 && !slices.Contains(splits, its) {
				splits = append(splits, its)
			}
			continue
		}
		r, err := readRef(d)
		if err != nil {
			return nil, fmt.Errorf("reading %s: ref %d: %w", path, i, err)
		}
		// A pickle can refer to one long list of sentences from every ref.
		if count += len(r.sentences); count > maxSentences {
			return nil, fmt.Errorf("reading %s: there are more than %d sentences", path, maxSentences)
		}
		refs = append(refs, r)
	}
	if len(refs) == 0 {
		slices.Sort(splits)
		return nil, wrongOption("there is no split %q in %s (there are %s)", split, path, strings.Join(splits, ", "))
	}
	return refs, nil
}

// inSplit tells whether a ref with the split its belongs to split: "test" is testA and
// testB together.
func inSplit(its, split string) bool {
	return its == split || split == "test" && strings.HasPrefix(its, split)
}

func readRef(d *pickle.Dict) (r ref, err error) {
	for _, f := range []struct {
		key string
		to  *int64
	}{{"ref_id", &r.id}, {"ann_id", &r.annotation}, {"image_id", &r.image}} {
		if *f.to, err = field[int64](d, f.key); err != nil {
			return r, err
		}
	}
	sentences, err := field[*pickle.List](d, "sentences")
	if err != nil {
		return r, err
	}
	if len(sentences.Items) > 1000 {
		return r, fmt.Errorf("there are %d sentences for one object", len(sentences.Items))
	}
	for i, item := range sentences.Items {
		s, ok := item.(*pickle.Dict)
		if !ok {
			return r, fmt.Errorf("sentence %d is no dict but a %T", i, item)
		}
		// "raw" is the text as typed, which the reference reads; "sent" lacks
		// punctuation.
		text, err := field[string](s, "raw")
		if err != nil {
			if text, err = field[string](s, "sent"); err != nil {
				return r, fmt.Errorf("sentence %d: %w", i, err)
			}
		}
		r.addSentence(text)
	}
	if len(r.sentences) == 0 {
		return r, fmt.Errorf("ref_id %d has no sentence", r.id)
	}
	return r, nil
}

// field returns the value of a key, which must have type T. Strings of Python 2 may
// come as bytes.
func field[T any](d *pickle.Dict, key string) (T, error) {
	v, ok := d.Get(key)
	if b, is := v.([]byte); is {
		v = string(b)
	}
	t, right := v.(T)
	if !ok {
		return t, fmt.Errorf("it has no %s", key)
	}
	if !right {
		return t, fmt.Errorf("its %s is a %T, not a %T", key, v, t)
	}
	return t, nil
}
