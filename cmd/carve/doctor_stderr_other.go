//go:build !linux && !darwin

package main

import "errors"

func muteStderr() (restore func(), err error) { return nil, errors.ErrUnsupported }
