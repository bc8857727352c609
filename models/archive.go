package models

import (
	"slices"
	"strings"
)

// A TorchScript archive has the code of the model next to its weights, with the name
// of the Python class of every module. The class names tell the archives of OpenAI from
// those of OpenCLIP, which have the same tensors with the same names in the same file
// format.
//
//   - In OpenAI's own archives, which its repository downloads, the model is a
//     multimodal.model.multimodal_transformer.Multimodal. A model that was scripted with
//     OpenAI's Python package is a clip.model.CLIP. Both have QuickGELU only, and
//     OpenAI's mean and standard deviation.
//   - In OpenCLIP's archives the model is an open_clip.model.CLIP, or a class that its
//     user wrote around it. It may have either activation and any mean.
//
// In all of them the activation is a module of each block, "mlp.gelu", of class
// QuickGELU or GELU. The mean of the pixels is not part of the model.

// openAIModels are the classes of OpenAI's models.
var openAIModels = []string{"multimodal.model.multimodal_transformer.Multimodal", "clip.model.CLIP"}

// isOpenAI reports whether the checkpoint is an archive of OpenAI.
func (w *weights) isOpenAI() bool {
	return w.naming == openAI && slices.Contains(openAIModels, w.classes[""])
}

// activationOf returns the activation of a tower according to the archive. It is empty
// if the archive does not show it or the weights are not an archive.
func (w *weights) activationOf(prefix string) string {
	mlp, ok := strings.CutSuffix(w.naming.locate(layerName(prefix, 0)+".mlp.fc1.weight").name, ".c_fc.weight")
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
