package pathpattern

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// maxName bounds a name in bytes. File systems take 255 for an element of a path, which
// may have more parts than the name.
const maxName = 120

// replaced are characters that some file system does not take, and those that mean
// something in the patterns of programs that read sequences of files.
const replaced = `<>:"/\|?*%{}`

// Clean makes a text an element of a path that every file system takes. Characters that
// one of them does not take become "_", as do dots and spaces at the start and the end.
// A name that Windows reserves gets a "_" in front.
func Clean(text string) string {
	s := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || strings.ContainsRune(replaced, r) || !unicode.IsPrint(r) {
			return '_'
		}
		return r
	}, norm.NFC.String(text))
	if len(s) > maxName {
		cut := maxName
		for !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut]
	}
	b := []byte(s)
	for i := 0; i < len(b) && (b[i] == '.' || b[i] == ' '); i++ {
		b[i] = '_'
	}
	for i := len(b) - 1; i >= 0 && (b[i] == '.' || b[i] == ' '); i-- {
		b[i] = '_'
	}
	if s = string(b); s == "" || reserved(s) {
		return "_" + s
	}
	return s
}

// reservedNames are devices on Windows, with any extension.
var reservedNames = []string{"CON", "PRN", "AUX", "NUL", "CLOCK$", "CONIN$", "CONOUT$"}

func reserved(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	stem = strings.ToUpper(strings.TrimRight(stem, " "))
	if slices.Contains(reservedNames, stem) {
		return true
	}
	port, ok := strings.CutPrefix(stem, "COM")
	if !ok {
		port, ok = strings.CutPrefix(stem, "LPT")
	}
	return ok && utf8.RuneCountInString(port) == 1 && strings.Contains("0123456789¹²³", port)
}

// Names gives out names that differ on every file system, also on those that ignore
// case. The zero value is ready.
type Names struct{ taken map[string]bool }

// Add returns the cleaned text or, if another text has that name, the name with the
// first free number: "dog-2".
func (n *Names) Add(text string) string {
	if n.taken == nil {
		n.taken = make(map[string]bool)
	}
	name := Clean(text)
	for i := 2; n.taken[Key(name)]; i++ {
		name = fmt.Sprintf("%s-%d", Clean(text), i)
	}
	n.taken[Key(name)] = true
	return name
}

// Key is the same for paths that some file system does not distinguish.
func Key(path string) string {
	return norm.NFC.String(cases.Fold().String(strings.ToUpper(norm.NFC.String(path))))
}
