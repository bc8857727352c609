package dataset

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// cocoTree has two images of 5×4.
func cocoTree(t *testing.T) tree {
	tr := newTree(t)
	for _, id := range []string{"000000000139", "000000000285"} {
		tr.jpeg("val2017/"+id+".jpg", 5, 4)
	}
	return tr
}

func TestCOCOMasks(t *testing.T) {
	tr := newTree(t)
	tr.jpeg("images/val2017/000000000139.jpg", 6, 1)
	tr.refused("coco", Options{}, "there is no annotations/instances_val2017.json", "stuffthingmaps")
	// COCO-Stuff has the category less one; sky and unannotated pixels are background.
	tr.png("annotations/val2017/000000000139.png", grey(0, 89, 12, 26, 156, 255))
	s := tr.open("coco", Options{})
	truth(t, s.Samples[0], 0, 6, 1, 1, 80, 12, 25, 0, 0)
	if len(s.Notes) != 1 || !strings.Contains(s.Notes[0], "annotations/val2017/*.png") || s.Protocol != Semantic || !s.Background || s.Preset != "coco" {
		t.Errorf("%+v", s)
	}
	// The publisher's own folder.
	tr.png("stuffthingmaps/val2017/000000000139.png", grey(1, 1, 1, 1, 1, 1))
	truth(t, tr.open("coco", Options{}).Samples[0], 0, 6, 1, 2, 2, 2, 2, 2, 2)
	// The converter's masks have priority over the publisher's in the same folder.
	tr.png("annotations/val2017/000000000139_instanceTrainIds.png", grey(0, 80, 81, 1, 1, 255))
	truth(t, tr.open("coco", Options{}).Samples[0], 0, 6, 1, 0, 80, Void, 1, 1, Void)
	tr.jpeg("images/val2017/000000000285.jpg", 6, 1)
	tr.refused("coco", Options{}, "the mask of 000000000285 is missing")
	tr.refused("coco", Options{Split: "train"}, "there is no train2017")
	tr.remove("images")
	tr.refused("coco", Options{}, "there is no val2017 in")
}

const cocoHead = `{"info": {"year": 2017, "more": [1, {"a": []}]}, "licenses": [],
"images": [
 {"license": 1, "file_name": "000000000285.jpg", "height": 4, "width": 5, "id": 285},
 {"license": 1, "file_name": "000000000139.jpg", "height": 4, "width": 5, "id": 139}],
"annotations": [`

// rectangle is the outline of whole pixels in COCO's form.
func rectangle(x0, y0, x1, y1 int) string {
	return fmt.Sprintf("[[%d,%d,%d,%d,%d,%d,%d,%d]]", x0, y0, x1, y0, x1, y1, x0, y1)
}

// entry is an annotation as JSON.
func entry(id, image, category, crowd, area int, outline string) string {
	return fmt.Sprintf(`{"segmentation": %s, "num_keypoints": 0, "area": %d, "iscrowd": %d, "image_id": %d, "bbox": [1,2,3,4], "category_id": %d, "id": %d}`,
		outline, area, crowd, image, category, id)
}

func cocoFile(entries ...string) string {
	return cocoHead + strings.Join(entries, ",\n  ") + `], "categories": [{"id": 1, "name": "person"}]}`
}

func TestCOCOInstances(t *testing.T) {
	tr := cocoTree(t)
	file := "annotations/instances_val2017.json"
	tr.text(file, cocoFile(
		// A tie on a person, before a crowd that comes last in the file.
		entry(1, 139, 32, 0, 2, rectangle(1, 1, 2, 3)),
		entry(2, 139, 1, 0, 6, rectangle(0, 0, 2, 3)),
		entry(3, 139, 3, 1, 99, `{"size": [4, 5], "counts": [0, 4, 0, 8, 8]}`),
	))
	s := tr.open("coco", Options{})
	if ids(s) != "000000000139 000000000285" || len(s.Notes) != 1 || !strings.Contains(s.Notes[0], "instances_val2017.json") {
		t.Errorf("%s, notes %q", ids(s), s.Notes)
	}
	truth(t, s.Samples[0], 0, 5, 4,
		1, 1, 3, 0, 0,
		1, 28, 3, 0, 0,
		1, 28, 3, 0, 0,
		3, 3, 3, 0, 0)
	truth(t, s.Samples[1], 0, 5, 4, make([]uint8, 20)...) // without annotations
	if s := tr.open("coco", Options{Limit: 1}); ids(s) != "000000000139" {
		t.Errorf("one sample: %s", ids(s))
	}
	// What opening does not check is reported when the mask is painted.
	for outline, want := range map[string]string{
		`[[1,2,3]]`:                               "3 coordinates",
		`null`:                                    "",
		`[]`:                                      "",
		`"x"`:                                     "outline",
		`[["x"]]`:                                 "outline",
		`[[0,0,1e9,0,1,1]]`:                       "corner 1",
		`{"size":[5,4],"counts":[20]}`:            "mask of 4×5",
		`{"size":[4,5],"counts":[21]}`:            "add up to 21",
		`{"size":[4,5],"counts":[1]}`:             "add up to 1",
		`{"size":[4,5],"counts":"P"}`:             "end in the middle",
		`{"size":[4,5],"counts":{"a":1}}`:         "runs",
		`{"size":[4,5]}`:                          "runs",
		`{"size":[4,5],"counts":[-1,21]}`:         "neither numbers",
		`{"size":[4,5],"counts":["1"]}`:           "runs",
		`{"size":[4,5],"counts":"d0"}`:            "",
		`[[0,0,1,0],[0,0,0,0,0,0],[9,9,8,9,8,8]]`: "",
	} {
		tr.text(file, cocoFile(entry(1, 139, 1, 0, 1, outline)))
		_, err := tr.open("coco", Options{}).Samples[0].Truth(0)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), file)) {
			t.Errorf("%s: %v, want %q", outline, err, want)
		}
	}
}

func TestCOCOBroken(t *testing.T) {
	tr := cocoTree(t)
	file := "annotations/instances_val2017.json"
	whole := cocoFile(entry(1, 139, 1, 0, 1, rectangle(0, 0, 1, 1)))
	for _, c := range []struct{ text, want string }{
		{cocoFile(entry(7, 139, 12, 0, 1, "[]")), "annotation 7 is of category 12"},
		{cocoFile(entry(7, 139, 184, 0, 1, "[]")), "category 184"},
		{strings.Replace(whole, `"width": 5`, `"width": 500000`, 1), "image 285 is 500000×4"},
		{strings.Replace(whole, `"width": 5`, `"width": -5`, 1), "image 285 is -5×4"},
		{strings.Replace(whole, `"id": 139`, `"id": "a"`, 1), "entry 1 of images"},
		{strings.Replace(whole, `000000000285.jpg`, `000000000286.jpg`, 1), "the picture of 000000000286 is missing"},
		{strings.Replace(whole, `"annotations": [`, `"annotations": 5, "x": [`, 1), "annotations: there is 5"},
		{strings.Replace(whole, `"annotations"`, `"annotation"`, 1), `no list "annotations"`},
		{whole[:len(whole)/2], "unexpected EOF"},
		{"", "unexpected EOF"},
		{"[]", "is expected"},
		{"{}", "no list"},
		{"version https", "near byte"},
	} {
		tr.text(file, c.text)
		tr.refused("coco", Options{}, c.want)
	}
}

// Little of a long file is kept in memory.
func TestCOCOStreams(t *testing.T) {
	tr := cocoTree(t)
	long := "[[" + strings.Repeat("1.25,2.75,", 1000) + "1,1]]"
	entries := make([]string, 1000)
	for i := range entries {
		entries[i] = entry(i, 139, 1, 0, i, long)
	}
	text := cocoFile(entries...)
	tr.text("annotations/instances_val2017.json", text)
	held := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := held()
	s := tr.open("coco", Options{})
	if grown := int64(held()) - int64(before); grown > int64(len(text)/20) {
		t.Errorf("%d bytes are held of a file of %d", grown, len(text))
	}
	if _, err := s.Samples[0].Truth(0); err != nil {
		t.Error(err)
	}
}
