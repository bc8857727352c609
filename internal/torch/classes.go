package torch

import (
	"regexp"
	"strings"

	"github.com/carve-video/carve/internal/pickle"
	"github.com/carve-video/carve/internal/tensor"
)

// The classes that a checkpoint may name.
var (
	rebuildTensor = pickle.Class{Module: "torch._utils", Name: "_rebuild_tensor_v2"}
	torchSize     = pickle.Class{Module: "torch", Name: "Size"}

	// Plain values that PyTorch has classes for, and TorchScript's wrappers for lists
	// of them.
	plain = map[pickle.Class]bool{
		torchSize:                               true,
		{Module: "torch", Name: "device"}:       true,
		{Module: jit, Name: "build_intlist"}:    true,
		{Module: jit, Name: "build_doublelist"}: true,
		{Module: jit, Name: "build_boollist"}:   true,
		{Module: jit, Name: "build_tensorlist"}: true,
		{Module: jit, Name: "restore_type_tag"}: true,
	}

	// The element types of storage classes.
	storages = map[pickle.Class]tensor.DType{
		{Module: "torch", Name: "DoubleStorage"}:   tensor.F64,
		{Module: "torch", Name: "FloatStorage"}:    tensor.F32,
		{Module: "torch", Name: "HalfStorage"}:     tensor.F16,
		{Module: "torch", Name: "BFloat16Storage"}: tensor.BF16,
		{Module: "torch", Name: "LongStorage"}:     tensor.I64,
		{Module: "torch", Name: "IntStorage"}:      tensor.I32,
		{Module: "torch", Name: "ShortStorage"}:    tensor.I16,
		{Module: "torch", Name: "CharStorage"}:     tensor.I8,
		{Module: "torch", Name: "ByteStorage"}:     tensor.U8,
		{Module: "torch", Name: "BoolStorage"}:     tensor.BOOL,
	}
)

const jit = "torch.jit._pickle"

// isParameter recognises calls that make a parameter of a tensor.
func isParameter(c pickle.Class) bool {
	return c.Module == "torch._utils" && (c.Name == "_rebuild_parameter" || c.Name == "_rebuild_parameter_with_state")
}

// isScript recognises classes defined by a TorchScript archive itself.
func isScript(c pickle.Class) bool {
	return c.Module == "__torch__" || strings.HasPrefix(c.Module, "__torch__.")
}

// mangled matches what TorchScript adds to the names of classes.
var mangled = regexp.MustCompile(`^__torch__\.|\.___torch_mangle_[0-9]+`)

// pythonName returns the name in Python of a TorchScript class.
func pythonName(c pickle.Class) string {
	return mangled.ReplaceAllString(c.Module+"."+c.Name, "")
}

func allowed(c pickle.Class) bool {
	_, ok := storages[c]
	return ok || plain[c] || c == rebuildTensor || isParameter(c) || isScript(c)
}
