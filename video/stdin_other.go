//go:build !unix

package video

import "os"

// openStandardInput reports that the name of standard input could not be opened.
func openStandardInput(err error) (*os.File, error) { return nil, err }
