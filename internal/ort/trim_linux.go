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

// trim returns freed memory to the system. While a session loads, the runtime holds
// weights in two or three forms, and the C library keeps the freed ones: with half
// precision weights, as much again as the session needs.
func trim() { C.trim() }
