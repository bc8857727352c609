package video

import (
	"errors"
	"fmt"

	"github.com/asticode/go-astiav"
	"github.com/carve-video/carve/internal/atomicfile"
)

// createOutput checks the path and creates the file, which has a hidden name until
// [Sink.Commit].
func (s *Sink) createOutput() error {
	o := atomicfile.Options{Overwrite: s.Overwrite, Inputs: s.Protect}
	if s.info.Path != "" {
		o.Inputs = append([]string{s.info.Path}, s.Protect...)
	}
	f, err := atomicfile.Create(s.Path, o)
	if err != nil {
		return outputError(err)
	}
	s.file = f
	return nil
}

// outputError converts an error of the output to a PathError.
func outputError(err error) error {
	var e *atomicfile.Error
	if errors.As(err, &e) {
		return &PathError{Path: e.Path, Err: e.Err}
	}
	return err
}

// openIO opens the file for the muxer. A pipe or a device is written through the open
// file, because opening it again could wait for another reader.
func (s *Sink) openIO(c container) (err error) {
	if !s.file.InPlace() {
		s.io, err = astiav.OpenIOContext("file:"+s.file.Path(), astiav.NewIOContextFlags(astiav.IOContextFlagWrite), nil, nil)
		if err != nil {
			return fmt.Errorf("opening %s for writing: %w", s.Path, err)
		}
		return nil
	}
	if !c.streams {
		return &PathError{Path: s.Path, Err: ErrNotSeekable}
	}
	const bufferSize = 64 << 10
	s.io, err = astiav.AllocIOContext(bufferSize, true, nil, nil, func(b []byte) (int, error) {
		n, err := s.file.Write(b)
		var e *atomicfile.Error
		if errors.As(err, &e) && s.ioErr == nil {
			s.ioErr = e.Err // FFmpeg passes on only a number
		}
		return n, err
	})
	if err != nil {
		return fmt.Errorf("opening %s for writing: %w", s.Path, err)
	}
	s.pipe = true
	return nil
}

// closeIO flushes the muxer's buffer and closes it.
func (s *Sink) closeIO() error {
	if s.io == nil {
		return nil
	}
	io := s.io
	s.io = nil
	if s.pipe {
		io.Free()
		return s.ioErr
	}
	return io.Close()
}

// writeError returns the error of a write, with the system's own error if there is one.
func (s *Sink) writeError(what string, err error) error {
	if s.ioErr != nil {
		err = s.ioErr
	}
	return fmt.Errorf("writing %s%s: %w", what, s.Path, err)
}
