package models

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
)

// An Entry is a model of the registry.
type Entry struct {
	Name    string
	About   string
	Role    string // recommended roles: "proposer", "classifier", or both
	Licence string // of the weights
	Size    int64  // approximate, bytes
	URL     string // empty for a built-in model
	SHA256  string // of the file at URL
	File    string // name of the file in the model's folder

	// Settings that cannot be read from the tensors, given by the publisher.
	Activation string // "quick_gelu" or "gelu"
	Mean, Std  [3]float32
}

// describe sets the options that are not given to the settings of the entry.
func (e Entry) describe(o *Options) {
	o.Activation = cmp.Or(o.Activation, e.Activation)
	if o.Mean == nil && o.Std == nil && e.Std != [3]float32{} {
		o.Mean, o.Std = e.Mean[:], e.Std[:]
	}
}

// Host is the host of the model's URL.
func (e Entry) Host() string {
	u, err := url.Parse(e.URL)
	if err != nil {
		return ""
	}
	return u.Host
}

// registry lists the models that can be pulled by name. Every checksum in it was given by
// the publisher. A model without such a checksum is imported instead, which computes one.
//
// The folder in the URLs of OpenAI is the SHA-256 of the file, and OpenAI's own loader
// checks it.
var registry = []Entry{
	{
		Name:    demoName,
		About:   "knows 64 emoji stickers and nothing else; built in",
		Role:    "proposer, classifier",
		Licence: "Apache-2.0",

		Activation: quickGELU, Mean: CLIPMean, Std: CLIPStd,
	},
	openAIEntry("clip-vit-base-patch16", "OpenAI's CLIP ViT-B/16", "proposer", "ViT-B-16.pt", 351e6,
		"5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f"),
	openAIEntry("clip-vit-large-patch14", "OpenAI's CLIP ViT-L/14", "classifier", "ViT-L-14.pt", 933e6,
		"b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836"),
	openAIEntry("clip-vit-large-patch14-336", "OpenAI's CLIP ViT-L/14, trained on at 336 pixels", "classifier", "ViT-L-14-336px.pt", 934e6,
		"3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02"),
}

func openAIEntry(name, about, role, file string, size int64, sum string) Entry {
	return Entry{Name: name, About: about, Role: role, Licence: "MIT", Size: size, SHA256: sum, File: file,
		Activation: quickGELU, Mean: CLIPMean, Std: CLIPStd,
		URL: "https://openaipublic.azureedge.net/clip/models/" + sum + "/" + file}
}

// Registry lists the models that can be pulled, the built-in one first.
func Registry() []Entry { return slices.Clone(registry) }

// Known returns the registry's entry of a name.
func Known(name string) (Entry, bool) {
	i := slices.IndexFunc(registry, func(e Entry) bool { return e.Name == name })
	if i < 0 {
		return Entry{}, false
	}
	return registry[i], true
}

// knownSum returns the registry's entry of a checksum.
func knownSum(sum string) (Entry, bool) {
	i := slices.IndexFunc(registry, func(e Entry) bool { return e.SHA256 == sum && sum != "" })
	if i < 0 {
		return Entry{}, false
	}
	return registry[i], true
}

// A MissingModelError says that a model is in the registry but not on this machine.
type MissingModelError struct{ Entry }

func (e *MissingModelError) Error() string {
	return fmt.Sprintf("model %s is not on this machine", e.Name)
}

// Hint says how to solve it.
func (e *MissingModelError) Hint() string {
	return fmt.Sprintf("carve models pull %s fetches it (about %d MB, from %s)", e.Name, e.Size/1e6, e.Host())
}
