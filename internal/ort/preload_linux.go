package ort

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"
)

// preload opens libraries and leaves them open, so that libraries opened later find
// them by name (see package ortdist).
func preload(paths []string) error {
	for _, path := range paths {
		p := C.CString(path)
		handle := C.dlopen(p, C.RTLD_NOW|C.RTLD_LOCAL)
		C.free(unsafe.Pointer(p))
		if handle == nil {
			return fmt.Errorf("failed to open %s: %w", path, errors.New(C.GoString(C.dlerror())))
		}
	}
	return nil
}
