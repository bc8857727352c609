package models

import (
	"slices"
	"strings"
)

// A TorchScript archive holds a model's code beside its weights, and calls every
// part of the model by the name of its Python class. That tells apart what looks
// alike: OpenAI's archives and those that OpenCLIP writes have the same tensors
// under the same names, in the same kind of file.
//
//   - In OpenAI's own archives, those that its repository fetches, the model is a
//     multimodal.model.multimodal_transformer.Multimodal. One that was scripted with
//     the Python package that OpenAI published is a clip.model.CLIP. Either code
//     knows QuickGELU only, and OpenAI's mean and deviation.
//   - In OpenCLIP's the model is an open_clip.model.CLIP, or of whatever class its
//     user wrote around it. It may have been trained with either activation, and on
//     pixels of any mean.
//
// In all of them the activation is a part of each block, "mlp.gelu", with a class of
// its own: QuickGELU, or GELU. The mean of the pixels is no part of a model.

// openAIModels are the classes of models that are OpenAI's.
var openAIModels = []string{"multimodal.model.multimodal_transformer.Multimodal", "clip.model.CLIP"}

// isOpenAI tells an archive of OpenAI's.
func (w *weights) isOpenAI() bool {
	return w.naming == openAI && slices.Contains(openAIModels, w.classes[""])
}

// activationOf is the activation that an archive says a tower has; empty where it
// says none, or the weights are no archive.
func (w *weights) activationOf(prefix string) string {
	mlp, ok := strings.CutSuffix(w.naming.place(layerName(prefix, 0)+".mlp.fc1.weight").name, ".c_fc.weight")
	if !ok {
		return ""
	}
	class := w.classes[mlp+".gelu"]
	switch class[strings.LastIndexByte(class, '.')+1:] {
	case "QuickGELU":
		return quickGELU
	case "GELU":
		return gelu
	}
	if w.isOpenAI() {
		return quickGELU
	}
	return ""
}
