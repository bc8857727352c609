package models

// What is read of a file, by what it is. Every one is far above what publishers
// ship, and small enough that a file made up to be large costs nothing that hurts:
// text takes several times its length while it is taken apart.
const (
	maxConfig     = 1 << 20  // configs and manifests have a few KB
	maxIndex      = 4 << 20  // that of a CLIP in shards has 100 KB
	maxVocabulary = 8 << 20  // CLIP's own has 0.9 MB, the largest of any language 5 MB
	maxNote       = 64 << 10 // what carve itself notes down beside its caches
	maxInMemory   = 16 << 30 // a checkpoint that is not mapped but read
)
