package dataset

import (
	"slices"
	"strings"
	"testing"

	"github.com/carve-video/carve/car"
)

func TestVOC(t *testing.T) {
	tr := newTree(t)
	kit := "VOCdevkit/VOC2012/"
	tr.text(kit+"ImageSets/Segmentation/val.txt", "2007_000033\n2007_000042  \n\n2007_000061\n")
	tr.text(kit+"ImageSets/Segmentation/train.txt", "2007_000032\n")
	for _, id := range []string{"2007_000033", "2007_000042", "2007_000061"} {
		tr.jpeg(kit+"JPEGImages/"+id+".jpg", 4, 1)
		tr.png(kit+"SegmentationClass/"+id+".png", indexed(0, 1, 20, 255))
	}
	s := tr.open("voc", Options{})
	if s.Name != "voc" || s.Split != "val" || s.Protocol != Semantic || !s.Background || ids(s) != "2007_000033 2007_000042 2007_000061" {
		t.Errorf("%+v", s)
	}
	sample := s.Samples[1]
	truth(t, sample, 0, 4, 1, 0, 1, 20, 255)
	if _, err := sample.Truth(1); err == nil {
		t.Error("a still has a second frame")
	}
	q := sample.Queries[14]
	if q.Label != "person" || q.Phrases[0] != "person with clothes,people,human" || sample.Objects[14] != 15 || len(sample.Frames) != 1 {
		t.Errorf("%+v", sample)
	}
	if p, err := s.Settings(); err != nil || p.Name != "voc" {
		t.Errorf("settings: %+v, %v", p, err)
	}
	if s := tr.open("voc", Options{Limit: 2}); ids(s) != "2007_000033 2007_000042" {
		t.Errorf("two samples: %s", ids(s))
	}
	// The folder itself, and the one above.
	for _, inner := range []string{"VOCdevkit", "VOCdevkit/VOC2012"} {
		if s := (tree{t, tr.dir + "/" + inner}).open("voc", Options{}); len(s.Samples) != 3 {
			t.Errorf("%s: %s", inner, ids(s))
		}
	}
	tr.refused("voc", Options{Split: "test"}, `no split "test"`, "train, val")
	tr.refused("voc", Options{Split: "../../val"}, "no split")
	tr.refused("voc", Options{Split: "train"}, "the picture of 2007_000032 is missing", "2007_000032.jpg")
	tr.remove(kit + "SegmentationClass/2007_000042.png")
	tr.refused("voc", Options{}, "the mask of 2007_000042 is missing", "SegmentationClass/2007_000042.png")
	tr.text(kit+"ImageSets/Segmentation/val.txt", "2007_000033\n2007_000033\n")
	tr.refused("voc", Options{}, "val.txt, line 2", "listed twice")
	tr.text(kit+"ImageSets/Segmentation/val.txt", "../../../2007_000033\n")
	tr.refused("voc", Options{}, "val.txt, line 1", "not a name")
	tr.text(kit+"ImageSets/Segmentation/val.txt", "\n")
	tr.refused("voc", Options{}, "the split val is empty")
	tr.remove(kit + "SegmentationClass")
	tr.refused("voc", Options{}, "there is no SegmentationClass in", "VOC2012")
}

func TestContext(t *testing.T) {
	tr := newTree(t)
	tr.text("VOC2010/ImageSets/SegmentationContext/val.txt", "2008_000002\n")
	tr.jpeg("VOC2010/JPEGImages/2008_000002.jpg", 3, 1)
	tr.png("VOC2010/SegmentationClassContext/2008_000002.png", indexed(0, 59, 60))
	s := tr.open("context", Options{})
	if len(s.Classes) != 59 || !s.Background {
		t.Errorf("%+v", s)
	}
	truth(t, s.Samples[0], 0, 3, 1, 0, 59, Void) // there is no class 60
	tr.refused("voc", Options{}, "there is no ImageSets/Segmentation")
}

func TestADE(t *testing.T) {
	tr := newTree(t)
	root := "ADEChallengeData2016/"
	tr.jpeg(root+"images/validation/ADE_val_00000001.jpg", 3, 1)
	tr.text(root+"images/validation/._ADE_val_00000001.jpg", "of an archiver")
	tr.png(root+"annotations/validation/ADE_val_00000001.png", grey(0, 1, 150))
	s := tr.open("ade", Options{})
	truth(t, s.Samples[0], 0, 3, 1, Void, 1, 150)
	if s.Background || s.Classes[14] != "door" || s.Samples[0].Queries[14].Phrases[0] != "door, double, door" {
		t.Errorf("%+v", s)
	}
	p, err := s.Settings()
	if err != nil || p.Lambda != 0.7 || len(p.Stuff) != 25 || !slices.Contains(p.Stuff, "dirt track") || p.Check() != nil {
		t.Errorf("settings: %+v, %v", p, err)
	}
	if again, _ := car.PresetNamed("context"); again.Lambda == 0.7 || len(again.Stuff) != 21 {
		t.Error("the preset itself was changed")
	}
	// Names from the table.
	var table strings.Builder
	table.WriteString("Idx\tRatio\tTrain\tVal\tName\n")
	for line := range strings.Lines(adeNames) {
		n := strings.Count(table.String(), "\n")
		table.WriteString(strings.Join([]string{itoa(n), "0.1", "1", "1", "my " + line}, "\t"))
	}
	tr.text(root+"objectInfo150.txt", table.String())
	if s := tr.open("ade", Options{}); s.Classes[149] != "my flag" {
		t.Errorf("names from the table: %v", s.Classes)
	}
	tr.text(root+"objectInfo150.txt", "Idx\tName\n1\twall\n3\tsky\n")
	tr.refused("ade", Options{}, "objectInfo150.txt, line 3", "class 3 follows class 1")
	tr.text(root+"objectInfo150.txt", "Idx\tName\nwall\n")
	tr.refused("ade", Options{}, "objectInfo150.txt, line 2")
	tr.text(root+"objectInfo150.txt", "1\twall\n")
	tr.refused("ade", Options{}, "names 1 classes, not 150")
	tr.remove(root + "objectInfo150.txt")
	tr.refused("ade", Options{Split: "train"}, "there is no images/training in")
	tr.remove(root + "annotations/validation/ADE_val_00000001.png")
	tr.refused("ade", Options{}, "the mask of ADE_val_00000001 is missing")
}
