package strictyaml

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml/ast"
)

// checkAliases refuses a text that becomes too large when every alias is replaced by
// its target: a list of ten aliases for a list of ten aliases for … An alias within its
// own target is endless.
func checkAliases(file *ast.File) error {
	for _, d := range file.Docs {
		w := weigher{anchors: map[string]int{}}
		if weight := w.weigh(d.Body); w.circle != "" {
			return fmt.Errorf("the alias *%s stands within what it stands for", short(w.circle))
		} else if weight > maxTokens {
			return errors.New("its aliases stand for too much")
		}
	}
	return nil
}

// A weigher counts nodes with aliases replaced.
type weigher struct {
	anchors map[string]int // by name; negative until the anchor's value ends
	circle  string         // an alias within its own target
}

func (w *weigher) weigh(node ast.Node) int {
	weight := 1
	switch n := node.(type) {
	case nil:
		return 0
	case *ast.MappingNode:
		for _, v := range n.Values {
			weight = w.sum(weight, v)
		}
	case *ast.MappingValueNode:
		weight = w.sum(w.sum(weight, n.Key), n.Value)
	case *ast.MappingKeyNode:
		weight = w.sum(weight, n.Value)
	case *ast.SequenceNode:
		for _, v := range n.Values {
			weight = w.sum(weight, v)
		}
	case *ast.TagNode:
		weight = w.sum(weight, n.Value)
	case *ast.AnchorNode:
		name := n.Name.GetToken().Value
		w.anchors[name] = -1
		weight = w.sum(weight, n.Value)
		w.anchors[name] = weight
	case *ast.AliasNode:
		name := n.Value.GetToken().Value
		if w.anchors[name] < 0 {
			w.circle = name
		}
		weight = max(w.anchors[name], 1)
	case *ast.StringNode:
		weight += len(n.Value) / 64
	}
	return weight
}

// sum adds without overflow.
func (w *weigher) sum(weight int, node ast.Node) int {
	return min(weight+w.weigh(node), maxTokens+1)
}
