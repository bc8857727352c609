// Package demo holds the demo model: a tiny CLIP that fits into the program,
// so that everything can be tried and tested without fetching anything.
//
// # What it is
//
// The "sticker CLIP" has the architecture of OpenAI's CLIP to the letter (a
// ViT 128 wide with 6 blocks and 8-pixel patches at 96 px, a text transformer
// 128 wide with 2 blocks, a common space of 128; 2.00 M parameters, 4 MB in
// F16), and was trained from nothing, by train.py in this folder, on scenes
// which that script draws itself: emoji stickers of 64 things ([Concepts])
// over procedural backgrounds. The exact command, the curve of the run and the
// measured figures lie beside it.
//
// # What it cannot do
//
// It has never seen a photograph. On real footage it proves that the plumbing
// works and nothing about meaning: what it finds there is chance. It knows no
// word beyond its list, no adjectives, no phrases, no relations. Never call it
// CLIP, and never judge CaR by it.
//
// # Licences
//
// Weights and scripts are this project's own (Apache-2.0). The emoji it was
// trained on are those of Noto Color Emoji (SIL OFL 1.1); the font is not in
// the weights. merges.txt and vocab.json are made from the first 2,046 merges
// of CLIP's byte-level BPE, by OpenAI under the MIT licence, whose notice is
// LICENSE.clip-bpe.
package demo

import (
	"embed"
	"maps"
	"slices"
	"strings"

	"github.com/carve-video/carve/internal/embedded"
)

// Name is what the model is registered as.
const Name = "demo"

// FS is the model as a folder in Hugging Face's layout: config.json,
// model.safetensors (F16), vocab.json, merges.txt, preprocessor_config.json,
// and the notice of the merge list's licence.
//
//go:embed config.json model.safetensors vocab.json merges.txt preprocessor_config.json LICENSE.clip-bpe
var FS embed.FS

// Importing the package is what makes the model known to package models.
func init() { embedded.Register(Name, FS) }

// Concepts are the 64 things the model has seen, by the names it was taught,
// in the order of train.py.
var Concepts = []string{
	"dog", "cat", "horse", "cow", "pig", "sheep", "rabbit", "panda",
	"lion", "tiger", "monkey", "elephant", "giraffe", "zebra", "fox", "frog",
	"turtle", "whale", "fish", "octopus", "crab", "butterfly", "bee", "chicken",
	"penguin", "duck", "flamingo", "pizza", "hamburger", "donut", "cake", "ice cream",
	"apple", "banana", "strawberry", "grapes", "watermelon", "pineapple", "carrot", "broccoli",
	"mushroom", "car", "bus", "train", "bicycle", "airplane", "rocket", "sailboat",
	"cactus", "sunflower", "umbrella", "guitar", "soccer ball", "basketball", "clock", "key",
	"crown", "balloon", "robot", "snowman", "book", "scissors", "television", "backpack",
}

// Synonyms are further names the model was taught for some of its concepts.
// They replaced the name in 15 % of the texts, so they work a little less well.
var Synonyms = map[string][]string{
	"dog":         {"puppy"},
	"cat":         {"kitten"},
	"horse":       {"pony"},
	"rabbit":      {"bunny"},
	"airplane":    {"plane", "aeroplane"},
	"bicycle":     {"bike"},
	"sailboat":    {"boat"},
	"car":         {"automobile"},
	"hamburger":   {"burger"},
	"television":  {"tv"},
	"soccer ball": {"football"},
	"ice cream":   {"icecream"},
	"turtle":      {"tortoise"},
	"chicken":     {"hen"},
}

// Knows tells whether the model was taught the name, as a concept or as a
// synonym. Case and runs of white space do not count, as in the tokenizer.
func Knows(name string) bool {
	_, ok := Concept(name)
	return ok
}

// Concept returns the concept that a name stands for.
func Concept(name string) (concept string, ok bool) {
	concept, ok = byName[fold(name)]
	return concept, ok
}

// Names lists everything that the model was taught, concepts and synonyms, in
// alphabetical order.
func Names() []string { return slices.Sorted(maps.Keys(byName)) }

var byName = func() map[string]string {
	m := make(map[string]string)
	for _, c := range Concepts {
		m[c] = c
		for _, s := range Synonyms[c] {
			m[s] = c
		}
	}
	return m
}()

func fold(name string) string {
	return strings.Join(strings.Fields(strings.ToLower(name)), " ")
}
