package models

// The largest sizes of files that are read. They are far above those of published files,
// and small enough that a huge file does not exhaust memory: parsing a text takes several
// times its length.
const (
	maxConfig     = 1 << 20  // configs and manifests have a few KB
	maxIndex      = 4 << 20  // that of a CLIP in shards has 100 KB
	maxVocabulary = 8 << 20  // CLIP's own has 0.9 MB, the largest of any language 5 MB
	maxRecord     = 64 << 10 // carve's own small files in the cache
	maxInMemory   = 16 << 30 // a checkpoint that is read, not mapped
)
