//go:build linux

package main

import "context"

func textTrials(ctx context.Context, b *bench, share float64) ([]*trial, error)   { return nil, nil }
func modelTrials(ctx context.Context, b *bench, share float64) ([]*trial, error)  { return nil, nil }
func pathTrials(ctx context.Context, b *bench, share float64) ([]*trial, error)   { return nil, nil }
func signalTrials(ctx context.Context, b *bench, share float64) ([]*trial, error) { return nil, nil }
