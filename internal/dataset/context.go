package dataset

// contextTable has the 59 classes of Pascal Context that evaluations use: label k+1 of a
// mask is class k. 0 is everything else, which counts as a class in Context-60 but
// not in Context-59. The names, and so the order, are the reference's (docs/algorithm.md
// section 9): it says airplane, plant and monitor where mmsegmentation says
// aeroplane, pottedplant and tvmonitor. The preset "context" knows which are
// stuff.
const contextTable = `
airplane
bag
bed
bedclothes
bench
bicycle
bird
boat
book
bottle
building
bus
cabinet
car
cat
ceiling
chair
cloth
computer
cow
cup
curtain
dog
door
fence
floor
flower
food
grass
ground
horse
keyboard
light
motorbike
mountain
mouse
person
plate
platform
plant
road
rock
sheep
shelves
sidewalk
sign
sky
snow
sofa
table
track
train
tree
truck
monitor
wall
water
window
wood
`

// pascalContext is Pascal Context. The publisher's annotations are JSON or MATLAB files
// with 459 classes. These PNGs are made from them by mmsegmentation's converter, and
// figures are measured on them.
var pascalContext = kind{
	name:  "context",
	about: "Pascal Context: 59 classes of things and stuff, and the rest, in 5104 images",
	layout: `  VOCdevkit/VOC2010/  (or that folder itself)
    ImageSets/SegmentationContext/val.txt
    JPEGImages/2008_000002.jpg
    SegmentationClassContext/2008_000002.png  (made by mmsegmentation's converter)`,
	open: func(root string, o *Options) (*Set, error) {
		return openVOC(root, o, vocFolders{"2010", "SegmentationContext", "SegmentationClassContext"}, "context", contextTable)
	},
}
