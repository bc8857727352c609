package limits

import "golang.org/x/sys/unix"

func machine() Limit {
	n, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return Limit{}
	}
	return Limit{int64(n), "this machine"}
}

func memory() Limit { return machine() }

func addressSpace() Limit { return Limit{} }

func threads() Limit { return Limit{} }
