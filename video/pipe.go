package video

import (
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"time"

	"github.com/asticode/go-astiav"
)

// A pipe is an input that is not a regular file. Its writer may pause for ever, so Go
// reads it, which unlike FFmpeg can interrupt a read.
type pipe struct {
	file    *os.File
	ended   atomic.Bool // by interrupt: reads return io.EOF
	history history     // the latest bytes read
}

// openFile opens the file that FFmpeg reads.
func (d *demuxer) openFile(path, url string) (err error) {
	fi, err := os.Stat(path)
	if err != nil || fi.Mode().IsRegular() {
		d.file, err = astiav.OpenIOContext(url, astiav.NewIOContextFlags(astiav.IOContextFlagRead), nil, nil)
		return err
	}
	f, err := os.Open(path)
	if err != nil && path == standardInput {
		f, err = openStandardInput(err)
	}
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

// standardInput is opened anew like other files, so that waiting for it can be interrupted.
const standardInput = "/dev/stdin"

func (p *pipe) read(b []byte) (int, error) {
	n, err := p.file.Read(b)
	p.history.add(b[:max(0, n)])
	if err != nil && p.ended.Load() {
		return n, io.EOF
	}
	return n, err
}

// A history keeps the latest bytes read from a pipe, which cannot be read again.
type history struct {
	kept []byte // a ring buffer once it is full
	end  int64  // number of bytes read in all
	none bool   // nothing is kept
}

// historySize exceeds what probing reads ahead, and what must be seen around a joint of
// recordings.
const historySize = 12 << 20

func (p *history) add(b []byte) {
	if p.none {
		return
	}
	for len(b) > 0 {
		at := int(p.end % historySize)
		n := min(len(b), historySize-at)
		if len(p.kept) < historySize {
			p.kept = append(p.kept, b[:n]...)
		} else {
			copy(p.kept[at:], b[:n])
		}
		p.end += int64(n)
		b = b[n:]
	}
}

// drop stops keeping bytes.
func (p *history) drop() { p.kept, p.none = nil, true }

func (p *history) start() int64 { return p.end - int64(len(p.kept)) }

// ReadAt reads bytes again, at their offset in the pipe.
func (p *history) ReadAt(b []byte, off int64) (n int, err error) {
	if off < p.start() || off >= p.end {
		return 0, io.EOF
	}
	for n < len(b) && off < p.end {
		at := off % historySize
		c := copy(b[n:], p.kept[at:min(int64(len(p.kept)), at+p.end-off)])
		n += c
		off += int64(c)
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// interrupt ends the input, even for a reader that is waiting for more.
func (p *pipe) interrupt() {
	p.ended.Store(true)
	p.file.SetReadDeadline(time.Now()) // a device without deadlines does not wait
}

func (p *pipe) close(io *astiav.IOContext) {
	io.Free()
	p.file.Close()
}

// Interrupt ends an input that is a pipe: Read returns the frames that have arrived,
// then io.EOF. Other inputs continue. It may be called from any goroutine, at any time
// after Initialize.
func (s *Source) Interrupt() {
	if p := s.pipe.Load(); p != nil {
		p.interrupt()
	}
}

// interrupted reports whether the input was interrupted.
func (s *Source) interrupted() bool {
	p := s.pipe.Load()
	return p != nil && p.ended.Load()
}
