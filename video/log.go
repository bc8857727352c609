package video

//#include <libavutil/log.h>
//#include "shim.h"
import "C"

import (
	"context"
	"log/slog"
	"strings"
	"sync"
)

// FFmpeg prints on stderr unless told otherwise, from whichever thread has
// something to say. From the moment this package is loaded it does not: its
// lines go to the logger given to [SetLog], or nowhere.
func init() {
	C.av_log_set_level(C.AV_LOG_WARNING)
	C.carveLogInstall()
}

// SetLog sends FFmpeg's own messages to l; nil silences them. It is global, as
// FFmpeg's log is.
//
// Messages of demuxers and decoders go out at debug level, because what they
// mean for the run is said once by [Source]; errors of everything else are
// warnings. A message that comes back, numbers aside, is written the first
// time, the tenth, the hundredth and so on, with its count.
func SetLog(l *slog.Logger) {
	level := C.int(C.AV_LOG_WARNING)
	if l != nil && l.Enabled(context.Background(), slog.LevelDebug) {
		level = C.AV_LOG_INFO
	}
	ffmpegLog.mu.Lock()
	ffmpegLog.to = l
	ffmpegLog.seen = nil
	ffmpegLog.mu.Unlock()
	C.av_log_set_level(level)
}

var ffmpegLog folder

// A folder writes each distinct message once per power of ten.
type folder struct {
	mu   sync.Mutex
	to   *slog.Logger
	seen map[string]int
	// watch collects error lines while a watcher is registered (see watchErrors).
	watch *[]string
	// quiet keeps lines to the watcher.
	quiet bool
}

// maxSeen bounds the memory of messages; beyond it the folder starts afresh.
const maxSeen = 512

func (f *folder) line(level slog.Level, isError bool, name, text string) {
	text = strings.TrimSpace(text)
	if text == "" {
		return
	}
	f.mu.Lock()
	if isError && f.watch != nil && len(*f.watch) < 16 {
		*f.watch = append(*f.watch, text)
	}
	to := f.to
	if to == nil || f.quiet {
		f.mu.Unlock()
		return
	}
	if f.seen == nil || len(f.seen) > maxSeen {
		f.seen = make(map[string]int)
	}
	key := name + "\x00" + withoutNumbers(text)
	f.seen[key]++
	n := f.seen[key]
	f.mu.Unlock()

	if !powerOfTen(n) {
		return
	}
	args := []any{"from", name}
	if n > 1 {
		args = append(args, "times", n)
	}
	to.Log(context.Background(), level, "ffmpeg: "+text, args...)
}

func powerOfTen(n int) bool {
	for n >= 10 && n%10 == 0 {
		n /= 10
	}
	return n == 1
}

// withoutNumbers makes "error while decoding MB 12 34" and "… MB 5 6" the same
// message.
func withoutNumbers(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	in := false
	for _, r := range s {
		if r >= '0' && r <= '9' {
			if !in {
				b.WriteByte('#')
			}
			in = true
			continue
		}
		in = false
		b.WriteRune(r)
	}
	return b.String()
}

// watching serialises watchErrors: the log is global, so only one opening at a
// time can call the lines its own.
var watching sync.Mutex

// watchErrors runs do and returns the error lines that FFmpeg wrote meanwhile.
// They say what an error code such as "Invalid data found" leaves out. Lines
// of other work in the same moment can slip in, so they only explain.
func watchErrors(do func() error) ([]string, error) {
	watching.Lock()
	defer watching.Unlock()
	var lines []string
	ffmpegLog.mu.Lock()
	ffmpegLog.watch = &lines
	ffmpegLog.mu.Unlock()
	err := do()
	ffmpegLog.mu.Lock()
	ffmpegLog.watch = nil
	ffmpegLog.mu.Unlock()
	return lines, err
}

// watchTrial is watchErrors for what is only tried: nobody else is told of it.
func watchTrial(do func() error) ([]string, error) {
	quiet := func(on bool) {
		ffmpegLog.mu.Lock()
		defer ffmpegLog.mu.Unlock()
		ffmpegLog.quiet = on
	}
	return watchErrors(func() error {
		quiet(true)
		defer quiet(false)
		return do()
	})
}

//export carveLogLine
func carveLogLine(level, category C.int, name, line *C.char, to C.uintptr_t, speaker C.int, pos C.int64_t) {
	isError := level <= C.AV_LOG_ERROR
	text := C.GoString(line)
	if l, ok := listeners.Load(uintptr(to)); ok {
		l.(*listener).hear(isError, voice(speaker), text, int64(pos))
	}
	if voice(speaker) == gapVoice {
		return // it is for debugging FFmpeg
	}
	at := slog.LevelDebug
	switch category {
	case C.AV_CLASS_CATEGORY_INPUT, C.AV_CLASS_CATEGORY_DEMUXER, C.AV_CLASS_CATEGORY_DECODER:
	default:
		if isError {
			at = slog.LevelWarn
		}
	}
	ffmpegLog.line(at, isError, C.GoString(name), text)
}
