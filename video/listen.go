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

// FFmpeg tells of much damage in its log only: the call that met it goes on and
// succeeds. A listener gets the lines that are about one [Source], whichever
// thread they come from: those written while one of the source's own calls
// runs, and those of its decoder's contexts.
type listener struct {
	handle  uintptr
	badEXIF atomic.Bool // some was there

	mu      sync.Mutex // FFmpeg's threads write, the reader takes
	remarks []remark
}

// A remark is a line of the log that tells of damage.
type remark struct {
	text  string
	voice voice
	pos   int64 // where in the file the demuxer was, -1 where that is not known
}

type voice int

const (
	otherVoice   = voice(C.CARVE_VOICE_OTHER)
	demuxerVoice = voice(C.CARVE_VOICE_DEMUXER)
	decoderVoice = voice(C.CARVE_VOICE_DECODER)
	innerVoice   = voice(C.CARVE_VOICE_INNER)
	gapVoice     = voice(C.CARVE_VOICE_GAP)
)

// maxRemarks bounds what is kept from one call to the next: one broken frame
// can be worth hundreds of lines, and the first say enough.
const maxRemarks = 64

var (
	listeners  sync.Map // of handles to listeners: C must not hold pointers of Go's
	lastHandle atomic.Uintptr
)

func newListener() *listener {
	l := &listener{handle: lastHandle.Add(1)}
	listeners.Store(l.handle, l)
	return l
}

func (l *listener) close() { listeners.Delete(l.handle) }

// during listens while do, a call of FFmpeg, runs.
func (l *listener) during(do func() error) error {
	runtime.LockOSThread() // who listens is noted by thread
	defer runtime.UnlockOSThread()
	C.carveListen(C.uintptr_t(l.handle))
	defer C.carveListen(0)
	return do()
}

// to makes the decoder's contexts known as this listener's. It must not be open
// yet, since its threads get copies.
func (l *listener) to(cc *astiav.CodecContext) {
	C.carveCodecListener((*C.AVCodecContext)(cc.UnsafePointer()), C.uintptr_t(l.handle))
}

func (l *listener) hear(isError bool, v voice, text string, pos int64) {
	text = strings.TrimSpace(text)
	if isError && strings.Contains(text, badEXIF) {
		l.badEXIF.Store(true)
	}
	if text == "" || v != gapVoice && !telling(isError, text) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.remarks) < maxRemarks {
		l.remarks = append(l.remarks, remark{text, v, pos})
	}
}

// take returns what was heard since it was called last.
func (l *listener) take() []remark {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.remarks
	l.remarks = nil
	return r
}

// losses are what FFmpeg calls a warning although something is lost.
var losses = []string{
	"Invalid NAL unit",                 // H.264 and HEVC: left out
	"Skipping invalid undecodable NAL", // HEVC: left out
	"Exceeded next NALFF position",     // H.264 and HEVC: sizes that do not fit
	"Discarding interframe without",    // VP8: left out
	"not contain a complete image",     // APNG
	"Missing EOC Marker",               // JPEG 2000: cut
	"reached eof, corrupted",           // MP4: a table of the index is cut
	"edit unit sync lost",              // MXF: units are skipped
	"Skip due to FRAME_HEADER_SIZE",    // ASF: a packet is left out
}

// harmless are what FFmpeg calls an error although no packet is lost: all are
// about headers, and describe what is beside the picture or for seeking only.
var harmless = []string{
	badEXIF,
	"Error parsing cover art",
	"Unknown MOV field order",
	"Empty stereoscopic video box",
	"spherical", // of panoramas, in MP4 and Matroska
	"projection private properties",
	"Mastering Display",
	"Content Light Level",
	"Ambient Viewing Environment",
	"Chapter end time",
	"Error parsing Cues",
	"failed to find absolute offset of", // MXF: an index, as are the next two
	"index entry ",
	"unable to compute the size of the last packet",
}

// badEXIF is what FFmpeg calls EXIF that it cannot read. The picture is whole, so that it
// is a loss of what is beside it, as all EXIF is: see [Source.unread].
const badEXIF = "EXIF data"

func telling(isError bool, text string) bool {
	list := losses
	if isError {
		list = harmless
	}
	for _, part := range list {
		if strings.Contains(text, part) {
			return !isError
		}
	}
	return isError
}
