package strictyaml

import (
	"bytes"
	"fmt"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"

	"github.com/carve-video/carve/internal/plaintext"
)

// The bounds. No text written by hand comes near any of them. Each prevents something
// for which the library takes too much time or memory.
const (
	// Limit bounds the bytes of a text.
	Limit = 1 << 20

	// maxDepth bounds the nesting of lists and mappings: the parser copies the rest of
	// the text at every opening bracket. A clip's script has 6.
	maxDepth = 32

	// maxTokens bounds words and marks together; each takes about 500 bytes.
	maxTokens = 150_000

	// maxMarks bounds the bytes that can end a word, and so the number of tokens,
	// before the lexer runs. Marks within quotes and comments count as well, since it
	// is not known here where the library sees a quote.
	maxMarks = 250_000

	// maxKeys bounds the keys of a mapping: the parser copies the existing ones for
	// every new one.
	maxKeys = 1000

	// maxEmpty bounds the empty entries: for each the parser moves all following
	// tokens.
	maxEmpty = 1000

	// maxPath bounds the paths of all nodes together, in bytes: every node stores its
	// whole path, with all keys above it.
	maxPath = 32 << 20

	// maxDocuments bounds the documents of a text before it is refused for having two:
	// the parser processes the rest again for each.
	maxDocuments = 8

	// Runs that the lexer scans again for every byte in them: blank lines at the end of
	// a text block, opening angle brackets, and tabs in a line, possibly with quotes
	// between them.
	maxBlankLines = 100
	maxAngles     = 100
	maxTabs       = 100
)

// check refuses a text that exceeds the bounds before the parser sees it. It returns
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
			return nil, nil, &LineError{tk.Position.Line, err}
		}
	}
	return data, tokens, nil
}

var errTooMuch = fmt.Errorf("there are more than %d words and marks in it", maxTokens)

// marks are the bytes that end a word or are a token themselves.
var marks = func() (is [256]bool) {
	for _, c := range []byte("\n[]{},:-?&*!|>%#'\"@`<.") {
		is[c] = true
	}
	return is
}()

// checkBytes checks the bounds that must hold before the lexer runs.
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
				return &LineError{number, fmt.Errorf("there are more than %d < in a row", maxAngles)}
			}
		}
		if tabs > maxTabs {
			return &LineError{number, fmt.Errorf("there are more than %d tabs in it", maxTabs)}
		}
		if blank++; len(bytes.TrimSpace(line)) > 0 {
			blank = 0
		}
		if blank > maxBlankLines {
			return &LineError{number, fmt.Errorf("there are more than %d blank lines in a row", maxBlankLines)}
		}
	}
	if count > maxMarks {
		return errTooMuch
	}
	return nil
}
