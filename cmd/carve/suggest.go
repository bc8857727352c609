package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/carve-video/carve/internal/spelling"
	"github.com/carve-video/carve/internal/ui"
	"github.com/spf13/pflag"
)

// flagError makes an error of the flags a usage error with a hint.
func flagError(fs *pflag.FlagSet, err error) error {
	hint := helpCall(fs) + " lists the flags"
	var unknown *pflag.NotExistError
	if errors.As(err, &unknown) {
		// FFmpeg's flags have one dash, as "-theta 0.3".
		if name, _, _ := strings.Cut(unknown.GetSpecifiedShortnames(), "="); fs.Lookup(name) != nil {
			hint = fmt.Sprintf("did you mean --%s? Names of more than one letter take two dashes", name)
		} else if meant, ok := spelling.Nearest(unknown.GetSpecifiedName(), flagNames(fs)); ok && name == "" {
			hint = fmt.Sprintf("did you mean --%s? %s", meant, hint)
		}
	}
	return ui.WithHint(ui.UsageError{Err: err}, hint)
}

func flagNames(fs *pflag.FlagSet) (names []string) {
	names = []string{"help"}
	fs.VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	return names
}

// checkDashes finds a long name after a single dash, which would be parsed as a flag of
// one letter with a value: -output as -o utput.
func checkDashes(fs *pflag.FlagSet, args []string) error {
	value := false // the argument is the value of the flag before it
	for _, a := range args {
		switch {
		case value:
			value = false
			continue
		case a == "--":
			return nil
		}
		if name, ok := strings.CutPrefix(a, "--"); ok {
			f := fs.Lookup(name)
			value = f != nil && f.NoOptDefVal == ""
			continue
		}
		letters, ok := strings.CutPrefix(a, "-")
		if !ok || letters == "" {
			continue
		}
		name, _, _ := strings.Cut(letters, "=")
		f := fs.ShorthandLookup(letters[:1])
		if f == nil {
			continue // Parse reports it
		}
		if len(name) > 1 && fs.Lookup(name) != nil && f.NoOptDefVal == "" {
			return ui.WithHint(ui.Usagef("-%s would be read as -%s with the value %q", name, letters[:1], letters[1:]),
				fmt.Sprintf("did you mean --%s? Names of more than one letter take two dashes", name))
		}
		value = len(letters) == 1 && f.NoOptDefVal == ""
	}
	return nil
}
