package dataset

import "path/filepath"

// vocTable has the classes of Pascal VOC: label k+1 of a mask is class k, 0 is
// background, and 255, drawn along every outline, is void.
const vocTable = `
aeroplane
bicycle
bird=bird avian
boat
bottle
bus
car
cat
chair=chair seat
cow
diningtable
dog
horse
motorbike
person=person with clothes,people,human
pottedplant
sheep
sofa
train
tvmonitor=tvmonitor screen
`

var voc = kind{
	name:  "voc",
	about: "Pascal VOC 2012: 20 classes of things in 1449 images",
	layout: `  VOCdevkit/VOC2012/  (or that folder itself)
    ImageSets/Segmentation/val.txt
    JPEGImages/2007_000033.jpg
    SegmentationClass/2007_000033.png`,
	open: func(root string, o *Options) (*Set, error) {
		return openVOC(root, o, vocFolders{"2012", "Segmentation", "SegmentationClass"}, "voc", vocTable)
	},
}

// vocFolders are the folders of a task in a development kit of Pascal VOC.
type vocFolders struct{ year, lists, masks string }

// openVOC reads a semantic task from a development kit of Pascal VOC.
func openVOC(root string, o *Options, f vocFolders, preset, table string) (*Set, error) {
	lists := filepath.Join("ImageSets", f.lists)
	kit := "VOC" + f.year
	dir, err := locate(root, []string{kit, filepath.Join("VOCdevkit", kit)}, lists, "JPEGImages", f.masks)
	if err != nil {
		return nil, err
	}
	ids, err := splitList(filepath.Join(dir, lists), o.split())
	if err != nil {
		return nil, err
	}
	s := &Set{Protocol: Semantic, Preset: preset, Background: true}
	queries, labels := s.addClasses(parseClasses(table))
	keep := labelsUpTo(len(labels))
	for _, id := range ids {
		if o.full(s) {
			break
		}
		sample, err := imageSample(id, filepath.Join(dir, "JPEGImages", id+".jpg"), filepath.Join(dir, f.masks, id+".png"), queries, labels, keep)
		if err != nil {
			return nil, err
		}
		s.Samples = append(s.Samples, sample)
	}
	return s, nil
}
