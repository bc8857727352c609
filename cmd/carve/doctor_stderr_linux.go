package main

import "golang.org/x/sys/unix"

// replaceFile makes a descriptor mean the same file as another.
func replaceFile(with, what int) error { return unix.Dup3(with, what, 0) }
