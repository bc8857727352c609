package strictyaml

import (
	"bytes"
	"fmt"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"

	"github.com/carve-video/carve/internal/plaintext"
)

// The bounds. Nothing that people write by hand comes near any of them; each
// keeps away something that the library takes more than its share of time or
// memory for.
const (
	// Limit is how many bytes a text may have.
	Limit = 1 << 20

	// maxDepth is how deep lists and mappings may be nested: the parser copies
	// what is left of the text at every opening bracket. A clip's script has 6.
	maxDepth = 32

	// maxTokens bounds words and marks together; each takes some 500 bytes.
	maxTokens = 150_000

	// maxMarks bounds the bytes that can end a word, and so how many tokens there
	// are, before any is made. Marks within quotes and comments count as well:
	// whoever counts cannot know where the library sees a quote.
	maxMarks = 250_000

	// maxKeys is how many keys a mapping may have: the parser copies those it has
	// for every further one.
	maxKeys = 1000

	// maxEmpty is how many entries may be empty: for each the parser moves all
	// tokens behind it.
	maxEmpty = 1000

	// maxPath bounds the paths of all nodes together, in bytes: every node has
	// its whole path, with all keys above it.
	maxPath = 32 << 20

	// maxDocuments is how many documents a text may begin before it is refused
	// for having two: the parser looks at the rest anew for each.
	maxDocuments = 8

	// Runs that the lexer looks at anew for every byte in them: blank lines at
	// the end of a block of text, opening angle brackets, and tabs in a line,
	// between which there may be quotes.
	maxBlankLines = 100
	maxAngles     = 100
	maxTabs       = 100
)

// check finds what is too much in a text before the parser sees it. It returns
// the text without a byte-order mark, and its tokens.
func check(data []byte) ([]byte, token.Tokens, error) {
	if len(data) > Limit {
		return nil, nil, &plaintext.TooLargeError{Limit: Limit}
	}
	data, err := plaintext.Clean(data)
	if err != nil {
		return nil, nil, err
	}
	if err := checkBytes(data); err != nil {
		return nil, nil, err
	}
	tokens := lexer.Tokenize(string(data))
	if len(tokens) > maxTokens {
		return nil, nil, errTooMuch
	}
	var n nesting
	for _, tk := range tokens {
		if err := n.take(tk); err != nil {
			return nil, nil, fmt.Errorf("line %d: %w", tk.Position.Line, err)
		}
	}
	return data, tokens, nil
}

var errTooMuch = fmt.Errorf("there are more than %d words and marks in it", maxTokens)

// marks are the bytes that end a word or are one.
var marks = func() (is [256]bool) {
	for _, c := range []byte("\n[]{},:-?&*!|>%#'\"@`<.") {
		is[c] = true
	}
	return is
}()

// checkBytes is what has to be known before even the lexer may look.
func checkBytes(data []byte) error {
	count, number, blank := 0, 0, 0
	for line := range bytes.Lines(data) {
		number++
		// On the line of a directive every word is a token.
		directive := bytes.IndexByte(line, '%') >= 0
		tabs, angles := 0, 0
		for _, c := range line {
			if marks[c] || directive && c == ' ' {
				count++
			}
			if c == '\t' {
				tabs++
			}
			if angles++; c != '<' {
				angles = 0
			}
			if angles > maxAngles {
				return fmt.Errorf("line %d: there are more than %d < in a row", number, maxAngles)
			}
		}
		if tabs > maxTabs {
			return fmt.Errorf("line %d: there are more than %d tabs in it", number, maxTabs)
		}
		if blank++; len(bytes.TrimSpace(line)) > 0 {
			blank = 0
		}
		if blank > maxBlankLines {
			return fmt.Errorf("line %d: there are more than %d blank lines in a row", number, maxBlankLines)
		}
	}
	if count > maxMarks {
		return errTooMuch
	}
	return nil
}
