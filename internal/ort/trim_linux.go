package ort

/*
#include <malloc.h>

static void trim(void) {
#ifdef __GLIBC__
	malloc_trim(0);
#endif
}
*/
import "C"

// trim gives freed memory back to the system. While a session loads, the
// runtime holds weights in two or three forms at a time, and the C library
// keeps what is freed of them: with half precision weights as much again as
// the session needs.
func trim() { C.trim() }
