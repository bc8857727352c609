package pickle

// Plain reads the first pickle in data, which may only hold plain values: nil, bool,
// int64, float64, string, []byte, Tuple, *List and *Dict. Annotations are such pickles
// and need no classes. A pickle that names one is refused with a [ClassError],
// OrderedDict included, and so is every call, every state and every reference to
// something outside the pickle.
func Plain(data []byte) (any, error) { return load(data, Options{}, true) }
