// Package demo contains the demo model: a tiny CLIP that is embedded in the program, so
// that carve can be tried and tested without a download.
//
// # The model
//
// The "sticker CLIP" has the architecture of OpenAI's CLIP: a ViT of width 128 with 6
// blocks and 8-pixel patches at 96 px, a text transformer of width 128 with 2 blocks, a
// projection of 128; 2.00 M parameters, 4 MB in F16. train.py in this folder trained it
// from scratch on images that the script draws: emoji stickers of 64 things ([Concepts])
// over procedural backgrounds. The command, the training curve and the measurements are in
// the same folder.
//
// # Limits
//
// It was never trained on photographs. On real footage it shows that the program works, and
// nothing about its quality: what it finds there is random. It knows no words but those of
// its list, no adjectives, no phrases, no relations. Do not call it CLIP, and do not judge
// CaR by it.
//
// # Licences
//
// Weights and scripts are this project's own (Apache-2.0). The training emoji are those of
// Noto Color Emoji (SIL OFL 1.1); the font is not in the weights. merges.txt and vocab.json
// are made from the first 2,046 merges of CLIP's byte-level BPE, by OpenAI under the MIT
// licence, whose notice is LICENSE.clip-bpe.
package demo

import (
	"embed"
	"maps"
	"slices"
	"strings"

	"github.com/carve-video/carve/internal/embedded"
)

// Name is the name of the model.
const Name = "demo"

// FS is the folder of the model in Hugging Face's layout: config.json, model.safetensors
// (F16), vocab.json, merges.txt, preprocessor_config.json, and the licence of the merge
// list.
//
//go:embed config.json model.safetensors vocab.json merges.txt preprocessor_config.json LICENSE.clip-bpe
var FS embed.FS

// Importing this package registers the model with package models.
func init() { embedded.Register(Name, FS) }

// Concepts are the names of the 64 things that the model was trained on, in the order of
// train.py.
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

// Synonyms are further names of some concepts. They replaced the name in 15 % of the
// training texts, so they work slightly less well.
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

// Knows reports whether the model was trained on the name, as a concept or as a synonym.
// Case and repeated white space are ignored, as by the tokenizer.
func Knows(name string) bool {
	_, ok := Concept(name)
	return ok
}

// Concept returns the concept of a name.
func Concept(name string) (concept string, ok bool) {
	concept, ok = byName[fold(name)]
	return concept, ok
}

// Names lists all concepts and synonyms in alphabetical order.
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
