package hostile

import (
	"fmt"
	"strings"
)

// Fill repeats a piece up to a size.
func Fill(piece string, size int) string { return strings.Repeat(piece, max(size/len(piece), 1)) }

// Counted repeats a piece with a different number in each.
func Counted(format string, size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()[:min(b.Len(), size)]
}

// Stairs returns lines that are each indented more than the one before.
func Stairs(piece string, size, step int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		b.WriteString(strings.Repeat(" ", i*step) + piece)
	}
	return b.String()[:min(b.Len(), size)]
}

// YAML returns texts of every kind that has been or could be expensive for a YAML
// parser, of about this many bytes each. It is long because it is a flat table.
func YAML(size int) map[string]string {
	half := size / 2
	texts := map[string]string{
		"matching brackets":     strings.Repeat("[", half) + strings.Repeat("]", half),
		"matching braces":       strings.Repeat("{a: ", size/5) + strings.Repeat("}", size/5),
		"stairs":                Stairs("a:\n", size, 1),
		"stairs of lists":       Stairs("-\n", size, 1),
		"wide stairs":           Stairs("- a:\n", size, 7),
		"keys":                  Counted("k%d: 1\n", size),
		"quoted keys":           Counted("\"k%d\": 1\n", size),
		"keys of nothing":       Counted("k%d:\n", size),
		"keys in braces":        "{" + Counted("k%d: 1, ", size-2),
		"bare keys in braces":   "{" + Counted("k%d,", size-2) + "}",
		"keys of keys":          Counted("k%d: {a: 1}\n", size),
		"long key over many":    Fill("k", half) + ":\n" + Counted("  k%d: 1\n", half-9),
		"long key over a list":  Fill("k", half) + ":\n" + Fill("  - a\n", half-9),
		"long keys":             Counted(Fill("k", 900)+"%d:\n  a: 1\n", size),
		"long key":              Fill("k", size-3) + ": 1",
		"long quoted key":       `"` + Fill("k", size-6) + `": 1`,
		"long scalar":           "a: " + Fill("x", size-3),
		"words":                 "a: " + Fill("x ", size-3),
		"scalar of lines":       "a:\n" + Fill("  b\n", size-3),
		"digits":                "a: " + Fill("1", size-3),
		"digits with marks":     "a: " + Fill("1_", size-3),
		"hexadecimal":           "a: 0x" + Fill("f", size-5),
		"exponent":              "a: 1e" + Fill("9", size-5),
		"time":                  "a: " + Fill("2001-01-01 ", size-3),
		"unicode":               "a: " + Fill("é", size-3),
		"block":                 "a: |\n" + Fill(" x\n", size-5),
		"block of one line":     "a: |\n " + Fill("x", size-6),
		"block of blanks":       "a: |\n" + Fill("\n", size-5),
		"block of spaces":       "a: |\n" + Fill(" \n", size-5),
		"block before blanks":   "a: |\n " + Fill("x", half) + Fill("\n", half-6),
		"stripped block":        "a: |-\n" + Fill("\n", size-6),
		"kept block":            "a: |+\n" + Fill("\n", size-6),
		"indented block":        "a: |9\n" + Fill(" \n", size-6),
		"folded":                "a: >\n" + Fill(" x\n", size-5),
		"folded steps":          "a: >\n" + Fill(" x\n  x\n", size-5),
		"folded and blank":      "a: >\n" + Fill(" x\n\n", size-5),
		"block headers":         Fill("|\n", size),
		"blocks":                Counted("k%d: |\n x\n\n\n", size),
		"double quotes":         `a: "` + Fill(`\n`, size-5) + `"`,
		"double quotes, tabs":   `a: "` + Fill("\t", size-5) + `"`,
		"double quotes, lines":  `a: "` + Fill("a\n", size-5) + `"`,
		"double quotes, blanks": `a: "` + Fill("\n", size-5) + `"`,
		"double quotes, spaces": `a: "` + Fill(" \n", size-5) + `"`,
		"double quotes, escape": `a: "` + Fill(`\u0041`, size-5) + `"`,
		"double quotes, broken": Fill(`"\q`, size),
		"single quotes":         "a: '" + Fill("''", size-5) + "'",
		"single quotes, lines":  "a: '" + Fill("a\n", size-5) + "'",
		"a quote that is open":  `"` + Fill("a", size-1),
		"quotes that are open":  Fill("\"a\n---\n", size),
		"tabs and quotes":       Fill("\"\t", size),
		"aliases":               "- &a b\n" + Fill("- *a\n", size-7),
		"aliases in brackets":   "[&a b, " + Fill("*a,", size-8) + "]",
		"aliases for much":      "- &a [" + Fill("b,", half) + "]\n" + Fill("- *a\n", half-9),
		"aliases of long text":  "- &a " + Fill("b", half) + "\n" + Fill("- *a\n", half-9),
		"merge keys":            "a: &a {b: 1}\n" + Fill("c:\n  <<: *a\n", size-13),
		"merge key":             "a: &a {b: 1}\n" + Fill("<<: *a\n", size-13),
		"merged much":           "a: &a {" + Counted("k%d: 1,", 8000) + "}\nl:\n" + Fill("  - <<: *a\n", size-8100),
		"angles and spaces":     Fill("<< ", size),
		"angles and colons":     "<< " + Fill(":", size-3),
		"an alias of itself":    "a: &a [*a]",
		"a pair of aliases":     "a: &a [*b]\nb: &b [*a]",
		"laughs":                Laughs(9, 9),
		"laughs in braces":      "{" + strings.ReplaceAll(strings.TrimSpace(Laughs(9, 9)), "\n", ",") + "}",
		"a million documents":   Fill("---\n", size),
		"documents":             Fill("a: 1\n---\n", size),
		"documents of one word": Fill("--- a\n", size),
		"ends":                  Fill("...\n", size),
		"documents and ends":    Fill("---\na\n...\n", size),
		"directives":            Fill("%YAML 1.2\n", size),
		"directive":             "%" + Fill("a ", size-1),
		"directives in a line":  "[ %" + Fill("a ", size-3),
		"comments":              Fill("# a\n", size),
		"comments below a key":  "a:\n" + Fill("  # a\n", size-10) + "  b: 1",
		"comments behind":       Fill("- a # b\n", size),
		"comments and keys":     Counted("# a\nk%d: 1\n", size),
		"long comment":          "a: b #" + Fill("x", size-6),
		"escaped comment":       Fill("a \\#\n", size),
		"values at one column":  Fill("a: 1\n", size),
		"spaces":                Fill(" ", size),
		"spaces before":         Fill(" ", size-1) + "a",
		"spaces between":        "a: b" + Fill(" ", size-5) + "c",
		"maps in a list":        Fill("- a: b\n  c: d\n", size),
		"lists in lists":        Fill("- - - - - - a\n", size),
		"keys and lists":        Fill("a:\n- b\n", size),
		"explicit keys":         Fill("? a\n: b\n", size),
		"a mix":                 Fill("[{", size),
		"a mix of all":          Fill("[{? - : & * ! | > ' \" % @ `", size),
		"lists as keys":         Fill("[a]: b\n", size),
		"carriage returns":      Fill("a\r\n", size),
		"tags before a list":    Fill("!!map ", size) + "[]",
		"anchors before a list": Fill("&a ", size) + "[]",
	}
	for _, piece := range yamlPieces {
		texts[fmt.Sprintf("of %q", piece)] = Fill(piece, size)
		texts[fmt.Sprintf("list of %q", piece)] = "[" + Fill(piece, size-2) + "]"
	}
	return texts
}

// yamlPieces are pieces for texts that repeat one piece.
var yamlPieces = []string{
	"[", "{", "- ", "-\n", "? ", "?\n", ": ", ":", ":\n", "]", "}", ",", "&a ", "&a\n", "*a ", "*a", "!", "!!", "!a ", "!!str ", "!!map ", "!!seq\n", "!<a> ",
	"|", ">", "|\n", "'", "''", `"`, `""`, `"" `, "%", "%a\n", "@", "`", "#", "# ", "<", "<<", "<<:", "<<: ", "~", "~\n", "-", "--", "---", ".", "..", "\\", "\n", "\r\n", "\t",
	" \n", "\t\n", "a\n", "- a\n", "[a, ", "{a: ", "{a, ", "[a: ", "[? a, ", "{? ", "&a [*a, ", "- ? ", "? - ", "- &a ", "- !a ", "a: &b ", "[],", "[[]],", "{},", "{a: b}, ", "a: b: ", "\"a\": ", "'a': {",
	"-\t", "-  ", "- -", "- |\n", "? |\n", "a: |\n", "a: >\n ", "[\n", "{\n", "\n[", "\n - ", "é", "\u00a0", "1,", "1e9,", "null,", "a: [\n", "- [\n", "- {a:\n",
}

// Laughs is a word, a list of words, a list of lists of words and so on.
func Laughs(levels, each int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 lol\n")
	for i := 1; i <= levels; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), each), ", "))
	}
	return b.String()
}
