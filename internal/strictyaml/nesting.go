package strictyaml

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml/token"
)

// A nesting follows the tokens of a text as the parser will, without recursion:
// brackets by themselves, block lists and block mappings by their columns.
type nesting struct {
	open []frame
	path int // the keys of all frames together, in bytes

	last      *token.Token // but for comments
	lastKey   int          // column of the key that the last colon belongs to
	marked    int          // tags and anchors since the last value
	empty     int          // entries with nothing in them
	paths     int          // of all nodes so far, in bytes
	documents int
}

// A frame is a list or mapping that has begun.
type frame struct {
	kind   frameKind
	column int  // of a block
	keyed  bool // in brackets: whether the current entry has a key
	keys   int
	key    int // length of the current key
}

type frameKind int

const (
	flowList frameKind = iota
	flowMap
	blockList
	blockMap
)

func (k frameKind) flow() bool { return k <= flowMap }

// take looks at the next token.
func (n *nesting) take(tk *token.Token) error {
	if tk.Type == token.CommentType {
		return nil
	}
	if n.isEmpty(tk) {
		n.empty++
	}
	var err error
	switch tk.Type {
	case token.DocumentHeaderType, token.DocumentEndType:
		n.open, n.path = n.open[:0], 0
		if n.documents++; n.documents > maxDocuments {
			return errors.New("there is more than one document in it")
		}
	case token.SequenceStartType:
		n.push(frame{kind: flowList})
	case token.MappingStartType:
		n.push(frame{kind: flowMap})
	case token.SequenceEndType, token.MappingEndType:
		n.closeBlocks()
		n.pop()
	case token.CollectEntryType:
		n.closeBlocks()
		if top := n.top(); top != nil {
			n.setKey(top, 0)
			top.keyed = false
		}
	case token.SequenceEntryType:
		n.block(blockList, tk.Position.Column)
	case token.MappingKeyType:
		err = n.key(tk, 0)
	case token.MappingValueType:
		// A colon belongs to what stands before it in the line.
		if k := n.last; k != nil && k.Position.Line == tk.Position.Line {
			err = n.key(k, len(k.Value))
		} else {
			err = n.key(tk, 0)
		}
	}
	if err != nil {
		return err
	}
	// The word behind an anchor is its name.
	switch {
	case tk.Type == token.TagType || tk.Type == token.AnchorType:
		n.marked++
	case n.last == nil || n.last.Type != token.AnchorType:
		n.marked = 0
	}
	n.last = tk
	return n.measure()
}

// measure holds what is open against the bounds.
func (n *nesting) measure() error {
	n.paths += n.path
	switch {
	case len(n.open)+n.marked > maxDepth:
		return fmt.Errorf("lists and mappings are nested more than %d deep", maxDepth)
	case n.empty > maxEmpty:
		return fmt.Errorf("more than %d entries are empty", maxEmpty)
	case n.paths > maxPath:
		return errors.New("keys are too long for how much stands below them")
	}
	return nil
}

// isEmpty tells whether the last token wanted a value and the next one is none.
func (n *nesting) isEmpty(tk *token.Token) bool {
	if n.last == nil {
		return false
	}
	inFlow := false
	switch tk.Type {
	case token.CollectEntryType, token.MappingEndType, token.SequenceEndType:
		inFlow = true
	}
	at := tk.Position
	switch n.last.Type {
	case token.SequenceEntryType:
		return inFlow || at.Line > n.last.Position.Line && at.Column <= n.last.Position.Column
	case token.MappingKeyType:
		return inFlow || tk.Type == token.MappingValueType || at.Column <= n.last.Position.Column
	case token.MappingValueType:
		list := tk.Type == token.SequenceEntryType && at.Column == n.lastKey
		return inFlow || at.Line > n.last.Position.Line && at.Column <= n.lastKey && !list
	case token.CollectEntryType, token.MappingStartType, token.SequenceStartType:
		return false
	}
	// {a, b} are keys without values.
	top := n.top()
	return inFlow && top != nil && top.kind == flowMap && !top.keyed
}

// key takes the key of a mapping, which begins at a token.
func (n *nesting) key(at *token.Token, length int) error {
	n.lastKey = at.Position.Column
	top := n.top()
	if top == nil || !top.kind.flow() || top.keyed {
		top = n.block(blockMap, at.Position.Column)
	} else {
		top.keyed = true
	}
	n.setKey(top, length)
	if top.keys++; top.keys > maxKeys {
		return fmt.Errorf("a mapping has more than %d keys", maxKeys)
	}
	return nil
}

// block is the list or mapping at a column, which begins here or goes on.
func (n *nesting) block(kind frameKind, column int) *frame {
	for {
		top := n.top()
		// A list may stand at the column of the key that it belongs to, a key never
		// at that of the list that it ends.
		ends := top != nil && !top.kind.flow() &&
			(top.column > column || top.column == column && top.kind == blockList && kind == blockMap)
		if !ends {
			break
		}
		n.pop()
	}
	if top := n.top(); top == nil || top.kind != kind || top.column != column {
		n.push(frame{kind: kind, column: column})
	}
	return n.top()
}

func (n *nesting) top() *frame {
	if len(n.open) == 0 {
		return nil
	}
	return &n.open[len(n.open)-1]
}

func (n *nesting) push(f frame) {
	n.open = append(n.open, f)
	n.path += pathStep
}

func (n *nesting) pop() {
	if top := n.top(); top != nil {
		n.path -= pathStep + top.key
		n.open = n.open[:len(n.open)-1]
	}
}

// pathStep is about what a list's index takes in a path.
const pathStep = 8

// closeBlocks ends the blocks within the innermost brackets.
func (n *nesting) closeBlocks() {
	for top := n.top(); top != nil && !top.kind.flow(); top = n.top() {
		n.pop()
	}
}

func (n *nesting) setKey(f *frame, length int) {
	n.path += length - f.key
	f.key = length
}
