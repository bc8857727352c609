package video

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/asticode/go-astiav"
)

// A pipe is an input that is no regular file. Whoever writes into it may pause for
// ever, so it is read by Go, which can break a read off; FFmpeg cannot.
type pipe struct {
	file  *os.File
	ended atomic.Bool // by interrupt: it counts as at its end
}

// openFile opens the file that FFmpeg reads.
func (d *demuxer) openFile(path, url string) (err error) {
	fi, err := os.Stat(path)
	if err != nil || fi.Mode().IsRegular() {
		d.file, err = astiav.OpenIOContext(url, astiav.NewIOContextFlags(astiav.IOContextFlagRead), nil, nil)
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	p := &pipe{file: f}
	const bufferSize = 64 << 10
	if d.file, err = astiav.AllocIOContext(bufferSize, false, p.read, nil, nil); err != nil {
		f.Close()
		return fmt.Errorf("%w: %w", errOutOfMemory, err)
	}
	d.pipe = p
	return nil
}

func (p *pipe) read(b []byte) (int, error) {
	n, err := p.file.Read(b)
	if err != nil && p.ended.Load() {
		return n, io.EOF
	}
	return n, err
}

// interrupt ends the pipe for its reader, also one that waits for more.
func (p *pipe) interrupt() {
	p.ended.Store(true)
	p.file.SetReadDeadline(time.Now()) // a device without deadlines does not wait
}

func (p *pipe) close(io *astiav.IOContext) {
	io.Free()
	p.file.Close()
}

// Interrupt ends an input that is a pipe: Read returns what has arrived, then
// io.EOF. Other inputs go on. It may be called from any goroutine, at any time after
// Initialize.
func (s *Source) Interrupt() {
	if p := s.pipe.Load(); p != nil {
		p.interrupt()
	}
}

// interrupted reports whether the input was ended before its end.
func (s *Source) interrupted() bool {
	p := s.pipe.Load()
	return p != nil && p.ended.Load()
}
