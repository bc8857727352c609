package dataset

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve/car"
)

const refFile = `{"annotations": [` // RefCOCO's files have the lists in another order

// refTree has the refs as a pickle of one of Python's protocols.
func refTree(t *testing.T, name, refs, pickled string) tree {
	tr := newTree(t)
	data, err := os.ReadFile("testdata/" + pickled)
	if err != nil {
		t.Fatal(err)
	}
	tr.write(name+"/"+refs, data)
	tr.text(name+"/instances.json", refFile+
		entry(10, 9, 1, 0, 1, rectangle(0, 0, 1, 1))+", "+
		entry(11, 9, 1, 0, 1, "[[0,0,2,0,2,1,0,1],[1,0,3,0,3,1,1,1]]")+", "+
		entry(12, 25, 1, 0, 1, rectangle(0, 1, 1, 2))+", "+
		entry(13, 25, 2, 0, 1, `{"size":[2,3],"counts":[5,1]}`)+
		`], "images": [{"file_name": "COCO_train2014_000000000009.jpg", "height": 2, "width": 3, "id": 9},
		{"file_name": "COCO_train2014_000000000025.jpg", "height": 2, "width": 3, "id": 25}], "categories": []}`)
	for _, id := range []string{"09", "25"} {
		tr.jpeg("images/mscoco/images/train2014/COCO_train2014_0000000000"+id+".jpg", 3, 2)
	}
	return tr
}

func TestRefCOCO(t *testing.T) {
	for _, pickled := range []string{"refs0.p", "refs2.p", "refs4.p"} {
		tr := refTree(t, "refcoco", "refs(unc).p", pickled)
		s := tr.open("refcoco", Options{})
		if s.Protocol != Refer || s.Preset != "refcoco" || ids(s) != "ref 0" {
			t.Fatalf("%s: %+v", pickled, s)
		}
		sample := s.Samples[0]
		if len(sample.Queries) != 2 || sample.Queries[0].Label != "the red box" || sample.Queries[1].Phrases[0] != "left onething" ||
			!slices.Equal(sample.Objects, []int{1, 1}) || !strings.HasSuffix(sample.Frames[0], "train2014/COCO_train2014_000000000009.jpg") {
			t.Errorf("%s: %+v", pickled, sample)
		}
		if err := car.CheckQueries(sample.Queries); err != nil {
			t.Error(err)
		}
		truth(t, sample, 0, 3, 2, 1, 1, 1, 0, 0, 0) // includes the overlap of its parts
		s = tr.open("refcoco", Options{Split: "testA"})
		if s.Samples[0].Queries[0].Label != "café" {
			t.Errorf("%s: %+v", pickled, s.Samples[0])
		}
		truth(t, s.Samples[0], 0, 3, 2, 0, 0, 0, 1, 0, 0)
		s = tr.open("refcoco", Options{Split: "test"})
		if ids(s) != "ref 1 ref 2" {
			t.Errorf("%s: %s", pickled, ids(s))
		}
		truth(t, s.Samples[1], 0, 3, 2, 0, 0, 0, 0, 0, 1)
		if s := tr.open("refcoco", Options{Split: "test", Limit: 1}); ids(s) != "ref 1" {
			t.Errorf("%s: %s", pickled, ids(s))
		}
	}
}

// Other sets, other authors, other folders of images.
func TestRefCOCOPlaces(t *testing.T) {
	for name, refs := range map[string]string{"refcoco+": "refs(unc).p", "refcocog": "refs(umd).p"} {
		tr := refTree(t, name, refs, "refs2.p")
		if s := tr.open(name, Options{}); s.Preset != name || len(s.Samples) != 1 {
			t.Errorf("%+v", s)
		}
		if s := (tree{t, tr.dir + "/" + name}).open(name, Options{}); len(s.Samples) != 1 {
			t.Errorf("from within: %+v", s)
		}
	}
	tr := refTree(t, "refcocog", "refs(google).p", "refs2.p")
	tr.refused("refcocog", Options{}, "there is no refs(umd).p in")
	tr.refused("refcocog", Options{Split: "../val"}, "refs(..).p")
	tr.refused("refcocog", Options{Split: "google/b/val"}, `no split "b/val"`)
	if s := tr.open("refcocog", Options{Split: "google/val"}); len(s.Samples) != 1 {
		t.Errorf("%+v", s)
	}
	if err := os.Rename(tr.dir+"/images/mscoco/images/train2014", tr.dir+"/elsewhere"); err != nil {
		t.Fatal(err)
	}
	tr.refused("refcocog", Options{Split: "google/val"}, "train2014")
	if s := tr.open("refcocog", Options{Split: "google/val", Images: tr.dir + "/elsewhere"}); len(s.Samples) != 1 {
		t.Errorf("%+v", s)
	}
}

func TestRefCOCOBroken(t *testing.T) {
	tr := refTree(t, "refcoco", "refs(unc).p", "refs2.p")
	tr.refused("refcoco", Options{Split: "valid"}, `no split "valid"`, "testA, testB, val")
	tr.remove("images/mscoco/images/train2014/COCO_train2014_000000000009.jpg")
	tr.refused("refcoco", Options{}, "the picture of ref 0 is missing", "000000000009.jpg")
	tr.text("refcoco/instances.json", refFile+`], "images": []}`)
	tr.refused("refcoco", Options{}, "ref 0 is of annotation 11 of image 9", "instances.json")
	for _, c := range []struct{ text, want string }{
		{"cposix\nsystem\n(Vls\ntR.", "posix.system is not allowed"},
		{"ccollections\nOrderedDict\n)R.", "not allowed"},
		{"N.", "no list of refs"},
		{"(lI1\na.", "ref 0 is no dict"},
		{"(l(dVsplit\nI1\nsa.", "its split is a int64"},
		{"(l(da.", "has no split"},
		{"(l(dVsplit\nVval\nsa.", "has no ref_id"},
		{"(l(dVsplit\nVval\nsVref_id\nI1\nsVann_id\nI1\nsVimage_id\nI1\nsVsentences\n(lI1\nasa.", "sentence 0 is no dict"},
		{"(l(dVsplit\nVval\nsVref_id\nI1\nsVann_id\nI1\nsVimage_id\nI1\nsVsentences\n(l(dasa.", "sentence 0: it has no sent"},
		{"(l(dVsplit\nVval\nsVref_id\nI1\nsVann_id\nI1\nsVimage_id\nI1\nsVsentences\n(lsa.", "ref_id 1 has no sentence"},
		{"(lp0\ng0\na.", "ref 0 is no dict"},
		{"", "cut off"},
	} {
		tr.text("refcoco/refs(unc).p", c.text)
		tr.refused("refcoco", Options{}, "refs(unc).p", c.want)
	}
}
