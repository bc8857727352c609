package ui

import (
	"encoding/json"
	"fmt"
	"io"
)

// WriteJSONLine prints an object of --json on a line of its own.
func WriteJSONLine(w io.Writer, v any) error {
	line, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(w, "%s\n", line)
	return err
}
