package pickle

// Plain reads the first pickle of data, which is to hold plain values only: nil,
// bool, int64, float64, string, []byte, Tuple, *List and *Dict. Annotations are
// such pickles, and have no reason to name a class. Here any that does is refused
// with a [ClassError], OrderedDict included, and with it every call, every state
// and everything outside the pickle: nothing can come out of it but what is
// written in it.
func Plain(data []byte) (any, error) { return load(data, Options{}, true) }
