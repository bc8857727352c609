package limits

import "golang.org/x/sys/unix"

func memory() Limit {
	n, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return Limit{}
	}
	return Limit{int64(n), "this machine"}
}

func addressSpace() Limit { return Limit{} }

func threads() Limit { return Limit{} }
