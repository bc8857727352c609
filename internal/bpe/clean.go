package bpe

import (
	"html"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// Clean prepares a text for tokenization: it repairs broken encodings and odd
// characters, resolves HTML entities, collapses blanks and lowers letters.
//
// The original uses the Python library ftfy, whose heuristics for wrongly decoded text
// are large. Here its deterministic rules are followed, and only the most common error
// is undone: UTF-8 read as Windows-1252. Rarer errors (other code pages, text broken
// twice) are kept.
func Clean(text string) string {
	text = mend(strings.ToValidUTF8(text, "\uFFFD"))
	text = html.UnescapeString(html.UnescapeString(text))
	text = strings.Join(strings.Fields(text), " ")
	// A Caser has state, so each call makes its own. Unlike strings.ToLower it knows
	// the final sigma and keeps the dot of a lowered İ, as Python does.
	return cases.Lower(language.Und).String(text)
}

// mend repeats its steps until nothing changes: undoing one error may reveal another
// (&acirc;&euro;&trade;). Each step that changes a text shortens or normalises it, and
// the bound is for texts for which that fails.
func mend(text string) string {
	for range 8 {
		before := text
		if !strings.Contains(text, "<") { // text with tags is markup: leave it
			text = entity.ReplaceAllStringFunc(text, html.UnescapeString)
		}
		text = undoWindows1252(text)
		text = plain.Replace(text)
		text = fullWidth.ReplaceAllStringFunc(text, norm.NFKC.String)
		text = terminalEscape.ReplaceAllString(text, "")
		text = control.ReplaceAllString(text, "")
		text = norm.NFC.String(text)
		if text == before {
			break
		}
	}
	return text
}

var (
	entity         = regexp.MustCompile(`&#?[0-9A-Za-z]{1,24};`)
	terminalEscape = regexp.MustCompile(`\x1b\[[0-9;]*[A-Za-z]`)
	control        = regexp.MustCompile(`[\x00-\x08\x0b\x0e-\x1f\x7f\x{206a}-\x{206f}\x{feff}\x{fff9}-\x{fffc}]`)
	fullWidth      = regexp.MustCompile(`[\x{ff01}-\x{ffef}\x{3000}]+`)

	// plain replaces typographic quotes, splits ligatures (including those that are
	// letters in some languages), and unifies line breaks.
	plain = strings.NewReplacer(
		"\u02bc", "'", "‘", "'", "’", "'", "‚", "'", "‛", "'",
		"“", `"`, "”", `"`, "„", `"`, "‟", `"`,
		"ﬀ", "ff", "ﬁ", "fi", "ﬂ", "fl", "ﬃ", "ffi", "ﬄ", "ffl", "ﬅ", "ſt", "ﬆ", "st",
		"Ĳ", "IJ", "ĳ", "ij", "ŉ", "ʼn",
		"Ǳ", "DZ", "ǲ", "Dz", "ǳ", "dz", "Ǆ", "DŽ", "ǅ", "Dž", "ǆ", "dž",
		"Ǉ", "LJ", "ǈ", "Lj", "ǉ", "lj", "Ǌ", "NJ", "ǋ", "Nj", "ǌ", "nj",
		"\r\n", "\n", "\r", "\n", "\u2028", "\n", "\u2029", "\n", "\u0085", "\n",
	)
)

// undoWindows1252 finds characters whose Windows-1252 bytes are a UTF-8 sequence, and
// replaces them by its character: "Ã©" was "é", "â€™" was "’".
//
// Only the lead bytes of Latin-1 letters (C2, C3), typography (E2), the byte order mark
// (EF) and emoji (F0) count. The others are letters that can precede a quotation mark
// or a dash, so that such a sequence is more likely intended than broken.
func undoWindows1252(text string) string {
	var out strings.Builder
	copied := 0 // of text
	for i := 0; i < len(text); {
		lead, width := utf8.DecodeRuneInString(text[i:])
		need := 0
		switch lead {
		case 'Â', 'Ã':
			need = 2
		case 'â', 'ï':
			need = 3
		case 'ð':
			need = 4
		}
		if r, n := sequence(text[i:], need); n > 0 {
			out.WriteString(text[copied:i])
			out.WriteRune(r)
			i += n
			copied = i
			continue
		}
		i += width
	}
	if copied == 0 {
		return text
	}
	out.WriteString(text[copied:])
	return out.String()
}

// sequence reads the first need characters of s as the bytes of one encoded character.
// It returns the character and the length read in s, or 0 if there is none.
func sequence(s string, need int) (r rune, length int) {
	if need == 0 {
		return 0, 0
	}
	var b [4]byte
	for i := range need {
		c, w := utf8.DecodeRuneInString(s[length:])
		if w == 0 {
			return 0, 0
		}
		v, ok := charmap.Windows1252.EncodeRune(c)
		if !ok { // the five holes of the code page stand for themselves
			if c < 0x80 || c > 0x9f {
				return 0, 0
			}
			v = byte(c)
		}
		b[i] = v
		length += w
	}
	r, n := utf8.DecodeRune(b[:need])
	if r == utf8.RuneError || n != need {
		return 0, 0
	}
	return r, length
}
