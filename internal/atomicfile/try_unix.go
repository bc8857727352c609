//go:build unix && !linux

package atomicfile

func tryFile(dir string) error { return tryHidden(dir) }
