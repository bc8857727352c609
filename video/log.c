#include <stdarg.h>
#include <string.h>

#include <libavutil/log.h>

#include "shim.h"
#include "_cgo_export.h"

// The listener for what FFmpeg logs on this thread; see listener in Go.
static _Thread_local uintptr_t listening;

void carveListen(uintptr_t listener) {
	listening = listener;
}

// Decoders use threads of their own. All their contexts inherit the opaque pointer of
// the context that the user opened.
void carveCodecListener(AVCodecContext *c, uintptr_t listener) {
	c->opaque = (void *)listener;
}

// carveSpeaker determines the source of a log line, its listener, and the demuxer's
// position in the file.
static enum carveVoice carveSpeaker(void *ptr, uintptr_t *listener, int64_t *pos) {
	*listener = listening;
	*pos = -1;
	for (int depth = 0; ptr && depth < 8; depth++) {
		const AVClass *class = *(const AVClass **)ptr;
		if (!class) break;
		if (class == avcodec_get_class()) {
			AVCodecContext *c = ptr;
			if (!c->opaque) return CARVE_VOICE_INNER;
			*listener = (uintptr_t)c->opaque;
			return CARVE_VOICE_DECODER;
		}
		if (class == avformat_get_class()) {
			AVFormatContext *f = ptr;
			if (listening && f->iformat && f->pb) *pos = avio_tell(f->pb);
			return CARVE_VOICE_DEMUXER;
		}
		if (!class->parent_log_context_offset) break;
		ptr = *(void **)((uint8_t *)ptr + class->parent_log_context_offset);
	}
	return CARVE_VOICE_OTHER;
}

// The binding's own callback prints into a fixed buffer without a bound, so that a long
// file name or tag overflows it. This one truncates.
static void carveLog(void *ptr, int level, const char *fmt, va_list args) {
	if (level >= 0) level &= 0xff; // the upper bits are hints about colours
	// Missing packets in MPEG-TS are reported only in this debug line.
	int gap = listening && level == AV_LOG_DEBUG && !strncmp(fmt, "Continuity check failed", 23);
	if (level > av_log_get_level() && !gap) return;
	char line[1024];
	int prefix = 0;
	const char *name = "";
	int category = AV_CLASS_CATEGORY_NA;
	uintptr_t listener;
	int64_t pos;
	const AVClass *class = ptr ? *(const AVClass **)ptr : NULL;
	av_log_format_line2(ptr, level, fmt, args, line, sizeof(line), &prefix);
	if (class) {
		if (class->item_name) name = class->item_name(ptr);
		category = class->get_category ? class->get_category(ptr) : class->category;
	}
	enum carveVoice voice = carveSpeaker(ptr, &listener, &pos);
	if (gap) voice = CARVE_VOICE_GAP;
	carveLogLine(level, category, (char *)name, line, listener, voice, pos);
}

void carveLogInstall(void) {
	av_log_set_callback(carveLog);
}
