//go:build !linux

package ort

import "errors"

func preload(paths []string) error {
	if len(paths) == 0 {
		return nil
	}
	return errors.New("libraries are preloaded on Linux only")
}
