package strictyaml

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml/token"
)

// A nesting tracks the structure of a text from its tokens as the parser will, without
// recursion: brackets by themselves, block lists and block mappings by their columns.
type nesting struct {
	open []frame
	path int // total length of the keys of all frames

	last      *token.Token // ignoring comments
	lastKey   int          // column of the key of the last colon
	marked    int          // tags and anchors since the last value
	empty     int          // empty entries
	paths     int          // of all nodes so far, in bytes
	documents int
}

// A frame is an open list or mapping.
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

// take processes the next token.
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
		// A colon belongs to what is before it in the line.
		if k := n.last; k != nil && k.Position.Line == tk.Position.Line {
			err = n.key(k, len(k.Value))
		} else {
			err = n.key(tk, 0)
		}
	}
	if err != nil {
		return err
	}
	// The word after an anchor is its name.
	switch {
	case tk.Type == token.TagType || tk.Type == token.AnchorType:
		n.marked++
	case n.last == nil || n.last.Type != token.AnchorType:
		n.marked = 0
	}
	n.last = tk
	return n.measure()
}

// measure checks the bounds.
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

// isEmpty tells whether the last token needed a value and the next one is none.
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
	// {a, b} has keys without values.
	top := n.top()
	return inFlow && top != nil && top.kind == flowMap && !top.keyed
}

// key handles the key of a mapping, which begins at a token.
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

// block returns the list or mapping at a column, which begins here or continues.
func (n *nesting) block(kind frameKind, column int) *frame {
	for {
		top := n.top()
		// A list may be at the column of the key that it belongs to. A key at the
		// column of a list ends the list.
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

// pathStep is about the length of a list index in a path.
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
