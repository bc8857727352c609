package torch

import (
	"archive/zip"
	"context"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/carve-video/carve/internal/bounded"
)

// A SumError says that an entry of an archive has been damaged.
type SumError struct{ Entry string }

func (e *SumError) Error() string {
	return fmt.Sprintf("%.200q in the archive is damaged: its checksum is wrong", e.Entry)
}

// Hint says what to do about it.
func (e *SumError) Hint() string {
	return "fetch or copy the file again; one that was saved without checksums has to be saved once more, with them"
}

// checkSums reads every entry and checks its sum.
func (a *archive) checkSums(ctx context.Context) error {
	for _, e := range a.inOrder {
		if err := a.checkSum(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

func (a *archive) checkSum(ctx context.Context, e *zip.File) error {
	if e.Method != zip.Store {
		// Reading to the end compares the sum.
		r, err := e.Open()
		if err != nil {
			return fmt.Errorf("failed to unpack %.200q: %w", e.Name, err)
		}
		defer r.Close()
		if _, err := io.Copy(io.Discard, bounded.Until(ctx, r)); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return &SumError{e.Name}
		}
		return nil
	}
	b, _, err := a.read(e)
	if err != nil || e.CRC32 == 0 {
		return err
	}
	sum := uint32(0)
	for rest := b; len(rest) > 0; {
		if err := ctx.Err(); err != nil {
			return err
		}
		part := rest[:min(len(rest), 16<<20)]
		sum = crc32.Update(sum, crc32.IEEETable, part)
		rest = rest[len(part):]
	}
	if sum != e.CRC32 {
		return &SumError{e.Name}
	}
	return nil
}
