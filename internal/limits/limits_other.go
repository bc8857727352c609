//go:build !linux && !darwin

package limits

func machine() Limit { return Limit{} }

func memory() Limit { return Limit{} }

func addressSpace() Limit { return Limit{} }

func threads() Limit { return Limit{} }
