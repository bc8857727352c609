package video

//#include "shim.h"
import "C"

import (
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/asticode/go-astiav"
)

// FFmpeg reports much damage only in its log, while the call that met it succeeds. A
// listener gets the log lines about one [Source], from any thread: those written during
// a call of the source, and those of its decoder's contexts.
type listener struct {
	handle  uintptr
	badEXIF atomic.Bool // there was unreadable EXIF

	mu      sync.Mutex // guards remarks, which FFmpeg's threads write
	remarks []remark
}

// A remark is a log line that means damage.
type remark struct {
	text  string
	voice voice
	pos   int64 // the demuxer's position in the file, -1 if unknown
}

type voice int

const (
	otherVoice   = voice(C.CARVE_VOICE_OTHER)
	demuxerVoice = voice(C.CARVE_VOICE_DEMUXER)
	decoderVoice = voice(C.CARVE_VOICE_DECODER)
	innerVoice   = voice(C.CARVE_VOICE_INNER)
	gapVoice     = voice(C.CARVE_VOICE_GAP)
)

// maxRemarks bounds the remarks between two calls: one broken frame can cause hundreds
// of lines, of which the first are enough.
const maxRemarks = 64

var (
	listeners  sync.Map // handle to listener: C must not hold Go pointers
	lastHandle atomic.Uintptr
)

func newListener() *listener {
	l := &listener{handle: lastHandle.Add(1)}
	listeners.Store(l.handle, l)
	return l
}

func (l *listener) close() { listeners.Delete(l.handle) }

// during listens while do, a call to FFmpeg, runs.
func (l *listener) during(do func() error) error {
	runtime.LockOSThread() // the listener is registered for the thread
	defer runtime.UnlockOSThread()
	C.carveListen(C.uintptr_t(l.handle))
	defer C.carveListen(0)
	return do()
}

// attachTo makes the listener receive what the decoder's contexts log. The decoder must
// not be open yet, because its threads get copies of the context.
func (l *listener) to(cc *astiav.CodecContext) {
	C.carveCodecListener((*C.AVCodecContext)(cc.UnsafePointer()), C.uintptr_t(l.handle))
}

func (l *listener) add(isError bool, v voice, text string, pos int64) {
	text = strings.TrimSpace(text)
	if isError && strings.Contains(text, badEXIF) {
		l.badEXIF.Store(true)
	}
	if text == "" || v != gapVoice && !meansDamage(isError, text) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.remarks) < maxRemarks {
		l.remarks = append(l.remarks, remark{text, v, pos})
	}
}

// take returns and removes the remarks since the last call.
func (l *listener) take() []remark {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.remarks
	l.remarks = nil
	return r
}

// lossWarnings are warnings of FFmpeg that mean a loss.
var lossWarnings = []string{
	"Invalid NAL unit",                 // H.264 and HEVC: dropped
	"Skipping invalid undecodable NAL", // HEVC: dropped
	"Exceeded next NALFF position",     // H.264 and HEVC: sizes that do not fit
	"Discarding interframe without",    // VP8: dropped
	"not contain a complete image",     // APNG
	"Missing EOC Marker",               // JPEG 2000: truncated
	"reached eof, corrupted",           // MP4: a table of the index is truncated
	"edit unit sync lost",              // MXF: units are skipped
	"Skip due to FRAME_HEADER_SIZE",    // ASF: a packet is dropped
}

// harmlessErrors are errors of FFmpeg although no packet is lost. All are about
// headers, and concern only metadata or seeking.
var harmlessErrors = []string{
	badEXIF,
	"Error parsing cover art",
	"Unknown MOV field order",
	"Empty stereoscopic video box",
	"spherical", // panoramas, in MP4 and Matroska
	"projection private properties",
	"Mastering Display",
	"Content Light Level",
	"Ambient Viewing Environment",
	"Chapter end time",
	"Error parsing Cues",
	"failed to find absolute offset of", // MXF: an index, like the next two
	"index entry ",
	"unable to compute the size of the last packet",
}

// badEXIF marks EXIF that FFmpeg cannot read. The image itself is complete, so this is
// only a loss of metadata, as is all EXIF: see [Source.unreadParts].
const badEXIF = "EXIF data"

func meansDamage(isError bool, text string) bool {
	list := lossWarnings
	if isError {
		list = harmlessErrors
	}
	for _, part := range list {
		if strings.Contains(text, part) {
			return !isError
		}
	}
	return isError
}
