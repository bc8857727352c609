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

// FFmpeg prints on stderr by default, from any thread. Once this package is loaded its
// lines go to the logger given to [SetLog], or nowhere.
func init() {
	C.av_log_set_level(C.AV_LOG_WARNING)
	C.carveLogInstall()
}

// SetLog sends FFmpeg's own messages to l; nil silences them. It is global, as FFmpeg's
// log is.
//
// Messages of demuxers and decoders are logged at debug level, because [Source] reports
// once what they mean for the run. Errors of everything else are warnings. A repeated
// message, ignoring numbers, is logged the first, tenth, hundredth time and so on, with
// its count.
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

var ffmpegLog logLimiter

// A logLimiter logs each distinct message once per power of ten.
type logLimiter struct {
	mu   sync.Mutex
	to   *slog.Logger
	seen map[string]int
	// watch collects error lines while a watcher is registered (see watchErrors).
	watch *[]string
	// quiet sends lines only to the watcher.
	quiet bool
}

// maxSeen bounds the number of messages in memory. Beyond it the limiter starts again.
const maxSeen = 512

func (f *logLimiter) line(level slog.Level, isError bool, name, text string) {
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

// withoutNumbers makes "error while decoding MB 12 34" and "… MB 5 6" the same message.
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

// watchMu serialises watchErrors: the log is global, so only one call at a time can
// collect its lines.
var watchMu sync.Mutex

// watchErrors runs do and returns the error lines that FFmpeg logged meanwhile. They
// explain an error code such as "Invalid data found". Lines of other work at the same
// time may be among them, so they are only used to explain.
func watchErrors(do func() error) ([]string, error) {
	watchMu.Lock()
	defer watchMu.Unlock()
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

// watchTrial is watchErrors for an attempt that may fail: its lines are not logged.
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
		l.(*listener).add(isError, voice(speaker), text, int64(pos))
	}
	if voice(speaker) == gapVoice {
		return // a debug line of FFmpeg
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
