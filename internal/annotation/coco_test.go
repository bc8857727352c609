package annotation

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// dataset has two videos. The first has a dog and, overlapping it, two people, and a
// crowd at the right. Images are 4×1, so a run of pixels is a run of columns.
const dataset = `{
 "videos": [
  {"id": 0, "width": 4, "height": 1, "length": 2, "file_names": ["park/00000.jpg", "park/00005.jpg"]},
  {"id": 7, "name": "yard", "width": 2, "height": 2, "length": 1}],
 "categories": [{"id": 3, "name": "person"}, {"id": 1, "name": "dog"}],
 "annotations": [
  {"id": 1, "video_id": 0, "category_id": 1, "segmentations": [{"size": [1, 4], "counts": [0, 2, 2]}, null]},
  {"id": 2, "video_id": 0, "category_id": 3, "segmentations": [{"size": [1, 4], "counts": [1, 1, 2]}, null]},
  {"id": 3, "video_id": 0, "category_id": 3, "segmentations": [null, {"size": [1, 4], "counts": "31"}]},
  {"id": 4, "video_id": 0, "category_id": 3, "iscrowd": 1, "segmentations": [{"size": [1, 4], "counts": "13"}, null]},
  {"id": 5, "video_id": 7, "category_id": 1, "segmentations": [{"size": [2, 2], "counts": [2, 2]}]}]}`

const found = `[
 {"video_id": 0, "category_id": 3, "score": 0.9, "segmentations": [null, {"size": [1, 4], "counts": "31"}]},
 {"video_id": 0, "category_id": 1, "score": 0.2, "segmentations": [{"size": [1, 4], "counts": "04"}, null]},
 {"video_id": 7, "category_id": 1, "score": 1, "segmentations": [{"size": [2, 2], "counts": "04"}]}]`

func TestDataset(t *testing.T) {
	path := save(t, dataset, t.TempDir(), "truth.json")
	var video *VideoError
	if _, err := Open(t.Context(), path, Options{}); !errors.As(err, &video) || !strings.Contains(err.Error(), "2 videos in it: park, yard") {
		t.Errorf("%v", err)
	}
	refuses(t, path, Options{Video: "zoo"}, `no video "zoo" in it, but park, yard`)
	for _, name := range []string{"0", "park"} {
		s := mustOpen(t, path, Options{Video: name})
		if want := []Object{{1, "dog"}, {3, "person"}}; !reflect.DeepEqual(s.Objects, want) || s.Len() != 2 || s.FrameName(1) != "00005" || s.Numbered {
			t.Errorf("%+v", s)
		}
		shows(t, s, 0, "1+99")
		shows(t, s, 1, "0002")
	}
	for _, name := range []string{"7", "yard"} {
		shows(t, mustOpen(t, path, Options{Video: name}), 0, "01 01")
	}
}

func TestResults(t *testing.T) {
	dir := t.TempDir()
	truth := mustOpen(t, save(t, dataset, dir, "truth.json"), Options{Video: "park"})
	path := save(t, found, dir, "found.json")
	s := mustOpen(t, path, Options{Like: truth, Video: "park"})
	if want := []Object{{1, "dog"}, {3, "person"}}; !reflect.DeepEqual(s.Objects, want) {
		t.Errorf("objects %v", s.Objects)
	}
	shows(t, s, 0, "1111")
	shows(t, s, 1, "0002")
	shows(t, mustOpen(t, path, Options{Like: truth, MinScore: .5}), 0, "0000")

	// On its own a list has only numbers, and the video must be chosen.
	refuses(t, path, Options{}, "2 videos in it: 0, 7")
	s = mustOpen(t, path, Options{Video: "7"})
	if want := []Object{{ID: 1}}; !reflect.DeepEqual(s.Objects, want) || s.W != 2 || s.Len() != 1 {
		t.Errorf("%+v", s)
	}
	// With a truth in another form, the objects take their names from it.
	images := t.TempDir()
	savePNG(t, letters("01 00"), images, "00000.png")
	save(t, `{"1": "dog"}`, images, "concepts.json")
	like := mustOpen(t, images, Options{})
	if s = mustOpen(t, path, Options{Like: like, Video: "7"}); !reflect.DeepEqual(s.Objects, []Object{{1, "dog"}}) {
		t.Errorf("objects %v", s.Objects)
	}
	// An empty list is a result if Like says of which video.
	nothing := save(t, ` []`, dir, "nothing.json")
	if s = mustOpen(t, nothing, Options{Like: truth}); s.Len() != 2 || len(s.Objects) != 0 {
		t.Errorf("%+v", s)
	}
	shows(t, s, 0, "0000")
	refuses(t, nothing, Options{}, "nothing was found")
}

func TestJSONRefused(t *testing.T) {
	const rle = `{"size": [1, 2], "counts": [0, 2]}`
	with := func(video, categories, tracks string) string {
		return fmt.Sprintf(`{"videos": [%s], "categories": [%s], "annotations": [%s]}`, video, categories, tracks)
	}
	const video, dog = `{"id": 1, "width": 2, "height": 1, "length": 1}`, `{"id": 1, "name": "dog"}`
	track := func(video, category int, masks string) string {
		return fmt.Sprintf(`{"id": 4, "video_id": %d, "category_id": %d, "segmentations": [%s]}`, video, category, masks)
	}
	dir := t.TempDir()
	mustOpen(t, save(t, with(video, dog, track(1, 1, rle)), dir, "x.json"), Options{})
	for _, c := range []struct{ file, want string }{
		{"no JSON", "as masks in COCO's form"},
		{"{}", "there is no video in it"},
		{with(`{"id": 1, "width": 2000000, "height": 1000000, "length": 1}`, dog, ""), "2000000x1000000"},
		{with(`{"id": 1, "width": 2, "height": 1}`, dog, ""), "has no frames"},
		{with(`{"id": 1, "width": 2, "height": 1, "length": 3, "file_names": ["a"]}`, dog, ""), "3 frames and 1 name of a file"},
		{with(video, dog+","+dog, ""), "category 1 is there twice"},
		{with(video, dog+`,{"id": 2, "name": "dog"}`, ""), `category 2 is called "dog"`},
		{with(video, `{"id": 0, "name": "dog"}`, ""), "number above 0"},
		{with(video, dog, track(2, 1, rle)), "annotation 4 is about video 2"},
		{with(video, dog, track(1, 2, rle)), "annotation 4 is of category 2"},
		{with(video, dog, track(1, 1, rle+","+rle)), "masks for 2 frames, and the video has 1: frame 00001"},
		{with(video, dog, track(1, 1, `{"size": [2, 1], "counts": [2]}`)), "1x2 in frame 00000, and the video is 2x1"},
		{with(video, dog, track(1, 1, `[[1, 2, 3]]`)), "polygons"},
		{with(video, dog, track(1, 1, `{"size": [1, 2], "counts": [3]}`)), "add up to 3"},
		{"[" + track(1, 0, rle) + "]", "category 0, which is not there"},
	} {
		refuses(t, save(t, c.file, dir, "x.json"), Options{}, "x.json", c.want)
	}
}
