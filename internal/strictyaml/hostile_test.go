package strictyaml

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
)

// fill repeats a piece up to a size.
func fill(piece string, size int) string { return strings.Repeat(piece, max(size/len(piece), 1)) }

// counted is pieces with a number each.
func counted(format string, size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, format, i)
	}
	return b.String()[:min(b.Len(), size)]
}

// stairs is lines that are each indented more than the one before.
func stairs(piece string, size, step int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		b.WriteString(strings.Repeat(" ", i*step) + piece)
	}
	return b.String()[:min(b.Len(), size)]
}

// hostile are texts of every kind that has cost the library more than its share,
// or could, in so many bytes.
func hostile(size int) map[string]string {
	half := size / 2
	texts := map[string]string{
		"matching brackets":     strings.Repeat("[", half) + strings.Repeat("]", half),
		"matching braces":       strings.Repeat("{a: ", size/5) + strings.Repeat("}", size/5),
		"stairs":                stairs("a:\n", size, 1),
		"stairs of lists":       stairs("-\n", size, 1),
		"wide stairs":           stairs("- a:\n", size, 7),
		"keys":                  counted("k%d: 1\n", size),
		"quoted keys":           counted("\"k%d\": 1\n", size),
		"keys of nothing":       counted("k%d:\n", size),
		"keys in braces":        "{" + counted("k%d: 1, ", size-2),
		"bare keys in braces":   "{" + counted("k%d,", size-2) + "}",
		"keys of keys":          counted("k%d: {a: 1}\n", size),
		"long key over many":    fill("k", half) + ":\n" + counted("  k%d: 1\n", half-9),
		"long key over a list":  fill("k", half) + ":\n" + fill("  - a\n", half-9),
		"long keys":             counted(fill("k", 900)+"%d:\n  a: 1\n", size),
		"long key":              fill("k", size-3) + ": 1",
		"long quoted key":       `"` + fill("k", size-6) + `": 1`,
		"long scalar":           "a: " + fill("x", size-3),
		"words":                 "a: " + fill("x ", size-3),
		"scalar of lines":       "a:\n" + fill("  b\n", size-3),
		"digits":                "a: " + fill("1", size-3),
		"digits with marks":     "a: " + fill("1_", size-3),
		"hexadecimal":           "a: 0x" + fill("f", size-5),
		"exponent":              "a: 1e" + fill("9", size-5),
		"time":                  "a: " + fill("2001-01-01 ", size-3),
		"unicode":               "a: " + fill("é", size-3),
		"block":                 "a: |\n" + fill(" x\n", size-5),
		"block of one line":     "a: |\n " + fill("x", size-6),
		"block of blanks":       "a: |\n" + fill("\n", size-5),
		"block of spaces":       "a: |\n" + fill(" \n", size-5),
		"block before blanks":   "a: |\n " + fill("x", half) + fill("\n", half-6),
		"stripped block":        "a: |-\n" + fill("\n", size-6),
		"kept block":            "a: |+\n" + fill("\n", size-6),
		"indented block":        "a: |9\n" + fill(" \n", size-6),
		"folded":                "a: >\n" + fill(" x\n", size-5),
		"folded steps":          "a: >\n" + fill(" x\n  x\n", size-5),
		"folded and blank":      "a: >\n" + fill(" x\n\n", size-5),
		"block headers":         fill("|\n", size),
		"blocks":                counted("k%d: |\n x\n\n\n", size),
		"double quotes":         `a: "` + fill(`\n`, size-5) + `"`,
		"double quotes, tabs":   `a: "` + fill("\t", size-5) + `"`,
		"double quotes, lines":  `a: "` + fill("a\n", size-5) + `"`,
		"double quotes, blanks": `a: "` + fill("\n", size-5) + `"`,
		"double quotes, spaces": `a: "` + fill(" \n", size-5) + `"`,
		"double quotes, escape": `a: "` + fill(`\u0041`, size-5) + `"`,
		"double quotes, broken": fill(`"\q`, size),
		"single quotes":         "a: '" + fill("''", size-5) + "'",
		"single quotes, lines":  "a: '" + fill("a\n", size-5) + "'",
		"a quote that is open":  `"` + fill("a", size-1),
		"quotes that are open":  fill("\"a\n---\n", size),
		"tabs and quotes":       fill("\"\t", size),
		"aliases":               "- &a b\n" + fill("- *a\n", size-7),
		"aliases in brackets":   "[&a b, " + fill("*a,", size-8) + "]",
		"aliases for much":      "- &a [" + fill("b,", half) + "]\n" + fill("- *a\n", half-9),
		"aliases of long text":  "- &a " + fill("b", half) + "\n" + fill("- *a\n", half-9),
		"merge keys":            "a: &a {b: 1}\n" + fill("c:\n  <<: *a\n", size-13),
		"merge key":             "a: &a {b: 1}\n" + fill("<<: *a\n", size-13),
		"merged much":           "a: &a {" + counted("k%d: 1,", 8000) + "}\nl:\n" + fill("  - <<: *a\n", size-8100),
		"angles and spaces":     fill("<< ", size),
		"angles and colons":     "<< " + fill(":", size-3),
		"an alias of itself":    "a: &a [*a]",
		"a pair of aliases":     "a: &a [*b]\nb: &b [*a]",
		"laughs":                laughs(9, 9),
		"laughs in braces":      "{" + strings.ReplaceAll(strings.TrimSpace(laughs(9, 9)), "\n", ",") + "}",
		"a million documents":   fill("---\n", size),
		"documents":             fill("a: 1\n---\n", size),
		"documents of one word": fill("--- a\n", size),
		"ends":                  fill("...\n", size),
		"documents and ends":    fill("---\na\n...\n", size),
		"directives":            fill("%YAML 1.2\n", size),
		"directive":             "%" + fill("a ", size-1),
		"directives in a line":  "[ %" + fill("a ", size-3),
		"comments":              fill("# a\n", size),
		"comments below a key":  "a:\n" + fill("  # a\n", size-10) + "  b: 1",
		"comments behind":       fill("- a # b\n", size),
		"comments and keys":     counted("# a\nk%d: 1\n", size),
		"long comment":          "a: b #" + fill("x", size-6),
		"escaped comment":       fill("a \\#\n", size),
		"values at one column":  fill("a: 1\n", size),
		"spaces":                fill(" ", size),
		"spaces before":         fill(" ", size-1) + "a",
		"spaces between":        "a: b" + fill(" ", size-5) + "c",
		"maps in a list":        fill("- a: b\n  c: d\n", size),
		"lists in lists":        fill("- - - - - - a\n", size),
		"keys and lists":        fill("a:\n- b\n", size),
		"explicit keys":         fill("? a\n: b\n", size),
		"a mix":                 fill("[{", size),
		"a mix of all":          fill("[{? - : & * ! | > ' \" % @ `", size),
		"lists as keys":         fill("[a]: b\n", size),
		"carriage returns":      fill("a\r\n", size),
		"tags before a list":    fill("!!map ", size) + "[]",
		"anchors before a list": fill("&a ", size) + "[]",
	}
	for _, piece := range []string{
		"[", "{", "- ", "-\n", "? ", "?\n", ": ", ":", ":\n", "]", "}", ",", "&a ", "&a\n", "*a ", "*a", "!", "!!", "!a ", "!!str ", "!!map ", "!!seq\n", "!<a> ",
		"|", ">", "|\n", "'", "''", `"`, `""`, `"" `, "%", "%a\n", "@", "`", "#", "# ", "<", "<<", "<<:", "<<: ", "~", "~\n", "-", "--", "---", ".", "..", "\\", "\n", "\r\n", "\t",
		" \n", "\t\n", "a\n", "- a\n", "[a, ", "{a: ", "{a, ", "[a: ", "[? a, ", "{? ", "&a [*a, ", "- ? ", "? - ", "- &a ", "- !a ", "a: &b ", "[],", "[[]],", "{},", "{a: b}, ", "a: b: ", "\"a\": ", "'a': {",
		"-\t", "-  ", "- -", "- |\n", "? |\n", "a: |\n", "a: >\n ", "[\n", "{\n", "\n[", "\n - ", "é", "\u00a0", "1,", "1e9,", "null,", "a: [\n", "- [\n", "- {a:\n",
	} {
		texts[fmt.Sprintf("of %q", piece)] = fill(piece, size)
		texts[fmt.Sprintf("list of %q", piece)] = "[" + fill(piece, size-2) + "]"
	}
	return texts
}

// laughs is a word, a list of words, a list of lists of words and so on.
func laughs(levels, each int) string {
	var b strings.Builder
	b.WriteString("a0: &a0 lol\n")
	for i := 1; i <= levels; i++ {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), each), ", "))
	}
	return b.String()
}

// What is just below all bounds takes the longest, which for most is at 300 KB.
var another = flag.Int("hostile", 0, "another size of hostile texts that is tried, in bytes")

// Whatever comes is refused or read, in little time and memory. The bounds are
// several times what was measured on two slow cores; what they keep away is
// hundreds of times as much.
func TestHostile(t *testing.T) {
	const (
		maxTime  = 5 * time.Second
		maxAlloc = 320 << 20 // in all, most of it garbage by then
	)
	sizes := []int{Limit, 48 << 10}
	if *another > 0 {
		sizes = append(sizes, *another)
	}
	for _, size := range sizes {
		for name, text := range hostile(size) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			began := time.Now()
			var v any
			err := Decode([]byte(text), &v)
			took := time.Since(began)
			runtime.ReadMemStats(&after)
			alloc := after.TotalAlloc - before.TotalAlloc
			if testing.Verbose() && (took > 300*time.Millisecond || alloc > 100<<20) {
				t.Logf("%s, %d bytes: %.1f s, %d MB: %.90v", name, len(text), took.Seconds(), alloc>>20, err)
			}
			if took > maxTime || alloc > maxAlloc {
				t.Errorf("%s, %d bytes: %.1f s, %d MB: %.90v", name, len(text), took.Seconds(), alloc>>20, err)
			}
		}
	}
}
