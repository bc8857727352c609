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
	past  past        // what was read last
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
	p.past.add(b[:max(0, n)])
	if err != nil && p.ended.Load() {
		return n, io.EOF
	}
	return n, err
}

// A past keeps what was read last of a pipe, for it cannot be read again.
type past struct {
	kept []byte // a ring once it is full
	end  int64  // how much was read in all
	none bool   // nobody wants it
}

// pastReach is more than is read ahead while a file is probed, and what must be seen
// around a joint of recordings.
const pastReach = 12 << 20

func (p *past) add(b []byte) {
	if p.none {
		return
	}
	for len(b) > 0 {
		at := int(p.end % pastReach)
		n := min(len(b), pastReach-at)
		if len(p.kept) < pastReach {
			p.kept = append(p.kept, b[:n]...)
		} else {
			copy(p.kept[at:], b[:n])
		}
		p.end += int64(n)
		b = b[n:]
	}
}

// drop gives up keeping.
func (p *past) drop() { p.kept, p.none = nil, true }

func (p *past) start() int64 { return p.end - int64(len(p.kept)) }

// ReadAt reads what was read before, at its place in the pipe.
func (p *past) ReadAt(b []byte, off int64) (n int, err error) {
	if off < p.start() || off >= p.end {
		return 0, io.EOF
	}
	for n < len(b) && off < p.end {
		at := off % pastReach
		c := copy(b[n:], p.kept[at:min(int64(len(p.kept)), at+p.end-off)])
		n += c
		off += int64(c)
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
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
