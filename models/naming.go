package models

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/carve-video/carve/internal/tensor"
)

// A naming is a scheme of tensor names in a checkpoint. The graphs use those of Hugging
// Face's CLIP.
//
// OpenAI and OpenCLIP share one: their blocks are "resblocks", queries, keys and values
// are stacked in one matrix, and the two projections are transposed.
type naming int

const (
	huggingFace naming = iota
	openAI
	openCLIPText // OpenAI's names, with the prefix "text." for the text tower
)

// namingOf detects the naming by a tensor that every checkpoint of it has.
func namingOf(c *checkpoint) (naming, error) {
	switch {
	case c.Has("vision_model.embeddings.class_embedding"):
		return huggingFace, nil
	case c.Has("visual.class_embedding") && c.Has("text.token_embedding.weight"):
		return openCLIPText, nil
	case c.Has("visual.class_embedding"):
		return openAI, nil
	}
	return 0, fmt.Errorf("%s is not a CLIP with a vision transformer: it has neither %q (Hugging Face) nor %q (OpenAI, OpenCLIP)",
		c.name, "vision_model.embeddings.class_embedding", "visual.class_embedding")
}

// A location says where a checkpoint stores a tensor.
type location struct {
	name       string
	part       int  // of a stacked tensor, the third
	stacked    bool // queries, keys and values, one below the other
	transposed bool // in×out where Hugging Face has out×in
}

var openAIWords = strings.NewReplacer(
	"vision_model.embeddings.class_embedding", "visual.class_embedding",
	"vision_model.embeddings.position_embedding.weight", "visual.positional_embedding",
	"vision_model.embeddings.patch_embedding.weight", "visual.conv1.weight",
	"vision_model.pre_layrnorm", "visual.ln_pre",
	"vision_model.post_layernorm", "visual.ln_post",
	"vision_model.encoder.layers.", "visual.transformer.resblocks.",
	"text_model.embeddings.token_embedding", "token_embedding",
	"text_model.embeddings.position_embedding.weight", "positional_embedding",
	"text_model.final_layer_norm", "ln_final",
	"text_model.encoder.layers.", "transformer.resblocks.",
	"visual_projection.weight", "visual.proj",
	"text_projection.weight", "text_projection",
	".layer_norm", ".ln_", // 1 and 2 follow
	".mlp.fc1", ".mlp.c_fc",
	".mlp.fc2", ".mlp.c_proj",
	".self_attn.out_proj", ".attn.out_proj",
	".self_attn.q_proj.", ".attn.in_proj_",
	".self_attn.k_proj.", ".attn.in_proj_",
	".self_attn.v_proj.", ".attn.in_proj_",
)

// locate returns the location of a tensor, given its name in Hugging Face's scheme.
func (n naming) locate(name string) location {
	if n == huggingFace {
		return location{name: name}
	}
	p := location{name: openAIWords.Replace(name), transposed: name == "visual_projection.weight" || name == "text_projection.weight"}
	for i, m := range []string{"q", "k", "v"} {
		if strings.Contains(name, ".self_attn."+m+"_proj.") {
			p.stacked, p.part = true, i
		}
	}
	if n == openCLIPText && strings.HasPrefix(name, "text_") {
		p.name = "text." + p.name
	}
	return p
}

// find returns the tensor at a location of a checkpoint; want is its shape in Hugging
// Face's scheme. The result is as stored: transposed if the location says so.
func (p location) find(c *checkpoint, want []int) (tensor.Tensor, error) {
	t, err := c.Tensor(p.name)
	if err != nil {
		return t, err
	}
	stored := slices.Clone(want)
	if p.transposed {
		slices.Reverse(stored)
	}
	if !p.stacked {
		// A single number has no sides or one side of 1.
		if len(want) == 0 && slices.Equal(t.Shape, []int{1}) {
			t.Shape = nil
		}
		return t, t.CheckShape(stored...)
	}
	stored[0] *= 3
	if err := t.CheckShape(stored...); err != nil {
		return t, err
	}
	third := len(t.Data) / 3
	t.Data = t.Data[p.part*third:][:third:third]
	if t.Offset != tensor.Nowhere {
		t.Offset += int64(p.part * third)
	}
	t.Shape = slices.Clone(want)
	return t, nil
}

// buffers are entries of checkpoints that are not weights: indices, masks, and the sizes
// that OpenAI's archives store as tensors.
var buffers = regexp.MustCompile(`(^|\.)(position_ids|attn_mask|input_resolution|context_length|vocab_size)$`)
