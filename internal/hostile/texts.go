package hostile

import (
	"fmt"
	"strings"
	"unicode/utf16"
)

// Lines returns lists of one entry a line that are larger, longer or odder than any
// real list, of about this many bytes each.
func Lines(size int) map[string]string {
	texts := map[string]string{
		"a long line":       Fill("a", size),
		"a long comment":    "#" + Fill("a", size-1),
		"many lines":        Counted("a%d\n", size),
		"few long lines":    Fill(Fill("a", 70<<10)+"\n", size),
		"blank lines":       Fill("\n", size),
		"a line of spaces":  Fill(" ", size),
		"a line of tabs":    Fill("\t", size),
		"no end":            Fill("a ", size),
		"windows":           Fill("a\r\n", size),
		"labels":            Counted("a%d=b|c\n", size),
		"phrases":           "a=" + Counted("b%d|", size-2),
		"a long phrase":     "a=" + Fill("b", size-2),
		"a long label":      Fill("a", size-2) + "=b",
		"nothing but marks": Fill("|", size),
		"equals":            Fill("=", size),
		"hashes":            Fill(" #", size),
		"templates":         Counted("a {} of %d\n", size),
		"a long template":   "{}" + Fill("a", size-2),
		"braces":            Fill("{}", size),
		"accents":           "e" + Fill("\u0301", size-1),
		"emoji":             Fill("\U0001F468\u200d\U0001F469\u200d", size),
		"wide":              Fill("犬", size),
	}
	return texts
}

// Refused returns texts that every reader must refuse, by what is wrong with them. Each
// has a valid line before and after the wrong one.
func Refused() map[string]string {
	texts := map[string]string{}
	add := func(name, text string) { texts[name] = "a\n" + text + "\nb\n" }
	for r := rune(0); r < 0xa0; r++ {
		if r < ' ' && r != '\t' && r != '\n' || r >= 0x7f {
			add(fmt.Sprintf("the control character %U", r), "d"+string(r)+"g")
		}
	}
	for _, r := range []rune{0x2028, 0x2029, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069} {
		add(fmt.Sprintf("the mark %U", r), "d"+string(r)+"g")
	}
	for i, bad := range []string{"\xff", "\xc0\x80", "\xc3", "\xe2\x28\xa1", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\x80", "\xfe\xfe", "caf\xe9"} {
		add(fmt.Sprintf("bytes that are not UTF-8, %d", i), bad)
	}
	// What editors save as "Unicode".
	var little, big strings.Builder
	for _, u := range utf16.Encode([]rune("\ufeffdog\n")) {
		little.Write([]byte{byte(u), byte(u >> 8)})
		big.Write([]byte{byte(u >> 8), byte(u)})
	}
	texts["UTF-16, little end first"] = little.String()
	texts["UTF-16, big end first"] = big.String()
	texts["UTF-16 without a mark"] = little.String()[2:]
	texts["a program"] = "\x7fELF\x02\x01\x01\x00\x00\x00"
	texts["a picture"] = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
	return texts
}
