package dataset

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// cocoTable has the 80 classes of COCO Object, in the order of the publisher's
// categories, whose numbers have gaps where categories were dropped (cocoMissing). The
// texts keep the reference's misspelling, because its figures were made with it.
const cocoTable = `
person=person with clothes,people,human
bicycle
car
motorcycle=motorbike
airplane=aeroplane
bus
train
truck
boat
traffic light
fire hydrant
stop sign
parking meter
bench
bird=bird avian
cat
dog
horse
sheep
cow
elephant
bear
zebra
giraffe
backpack=backpack,bag
umbrella=umbrella,parasol
handbag=handbag,purse
tie=necktie
suitcase
frisbee
skis
snowboard=sknowboard
sports ball
kite
baseball bat
baseball glove=glove
skateboard
surfboard
tennis racket
bottle
wine glass
cup
fork
knife
spoon=dessertspoon
bowl
banana
apple
sandwich
orange
broccoli
carrot
hot dog
pizza
donut
cake
chair=chair seat
couch=sofa
potted plant=pottedplant
bed
dining table=diningtable
toilet
tv=tvmonitor screen
laptop
mouse
remote=remote control
keyboard
cell phone
microwave
oven
toaster
sink
refrigerator
book
clock
vase
scissors
teddy bear
hair drier=hairdrier,blowdrier
toothbrush
`

// cocoMissing are the categories between 1 and 90 that have no annotations.
var cocoMissing = []int{12, 26, 29, 30, 45, 66, 68, 69, 71, 83}

// cocoCategories is the last category of an object class; stuff comes after it.
const cocoCategories = 90

// cocoLabels maps each category to its label, or to 0 if it is not one of the 80.
var cocoLabels = func() (labels [cocoCategories + 1]uint8) {
	missing := map[int]bool{}
	for _, c := range cocoMissing {
		missing[c] = true
	}
	n := uint8(0)
	for c := 1; c <= cocoCategories; c++ {
		if !missing[c] {
			n++
			labels[c] = n
		}
	}
	return labels
}()

var coco = kind{
	name:  "coco",
	about: "COCO Object: 80 classes of things in the 5000 images of val2017",
	layout: `  images/val2017/000000000139.jpg, or val2017/000000000139.jpg
  and one of these; the first that is there is taken:
    annotations/val2017/000000000139_instanceTrainIds.png  (0 background, 1..80)
    stuffthingmaps/val2017/000000000139.png, or annotations/val2017/000000000139.png  (COCO-Stuff)
    annotations/instances_val2017.json`,
	open: openCOCO,
}

func openCOCO(root string, o *Options) (*Set, error) {
	split := o.split()
	if split == "val" || split == "train" {
		split += "2017"
	}
	if !filepath.IsLocal(split) {
		return nil, wrongOption("there is no split %q", split)
	}
	if _, err := locate(root, nil, "."); err != nil {
		return nil, err
	}
	images := o.Images
	if images == "" {
		var ok bool
		if images, ok = firstOf(root, filepath.Join("images", split), split); !ok {
			return nil, &LayoutError{Missing: split, In: []string{filepath.Join(root, "images"), root}}
		}
	}
	s := &Set{Protocol: Semantic, Preset: "coco", Background: true}
	for _, m := range []cocoMasks{
		{dir: filepath.Join("annotations", split), suffix: "_instanceTrainIds.png", table: labelsUpTo(80)},
		{dir: filepath.Join("stuffthingmaps", split), suffix: ".png", table: stuffThings()},
		{dir: filepath.Join("annotations", split), suffix: ".png", table: stuffThings()},
	} {
		m.dir = filepath.Join(root, m.dir)
		// COCO-Stuff's converters write their own masks beside these, in the same
		// folder.
		found, _ := withSuffix(m.dir, m.suffix)
		if !slices.ContainsFunc(found, func(name string) bool { return !strings.Contains(strings.TrimSuffix(name, m.suffix), "_") }) {
			continue
		}
		s.Notes = append(s.Notes, fmt.Sprintf("truth is from %s", filepath.Join(m.dir, "*"+m.suffix)))
		return s, s.cocoPNG(images, m, o)
	}
	path := filepath.Join("annotations", "instances_"+split+".json")
	if !exists(filepath.Join(root, path)) {
		return nil, &LayoutError{Missing: fmt.Sprintf("%s, and no PNG in annotations/%s or stuffthingmaps/%s", path, split, split), In: []string{root}}
	}
	s.Notes = append(s.Notes, fmt.Sprintf("truth is painted from the outlines in %s; published figures stand on the PNGs of COCO-Stuff", filepath.Join(root, path)))
	return s, s.cocoJSON(images, filepath.Join(root, path), o)
}

// cocoMasks is a folder of PNGs and the meaning of their samples.
type cocoMasks struct {
	dir, suffix string
	table       *[256]uint8
}

// stuffThings translates the samples of COCO-Stuff's PNGs: the category number less
// one, 255 where nothing is annotated. Published figures for COCO Object count both
// stuff and unannotated pixels as background, because the converter they share does so:
// nothing is void.
func stuffThings() *[256]uint8 {
	var t [256]uint8
	copy(t[:], cocoLabels[1:])
	return &t
}

// cocoPNG fills the set with samples whose truth is in PNGs.
func (s *Set) cocoPNG(images string, m cocoMasks, o *Options) error {
	queries, labels := s.addClasses(parseClasses(cocoTable))
	list, err := withSuffix(images, ".jpg")
	if err != nil {
		return err
	}
	for _, file := range list {
		if o.full(s) {
			break
		}
		id := stem(file)
		sample, err := imageSample(id, filepath.Join(images, file), filepath.Join(m.dir, id+m.suffix), queries, labels, m.table)
		if err != nil {
			return err
		}
		s.Samples = append(s.Samples, sample)
	}
	return nil
}
