#include <stdarg.h>
#include <string.h>

#include <libavutil/log.h>

#include "shim.h"
#include "_cgo_export.h"

// Who listens to what FFmpeg says on this thread; see listener in Go.
static _Thread_local uintptr_t listening;

void carveListen(uintptr_t listener) {
	listening = listener;
}

// Decoders work on threads of their own, and every context of theirs has the
// opaque pointer of the one that the user opened.
void carveCodecListener(AVCodecContext *c, uintptr_t listener) {
	c->opaque = (void *)listener;
}

// carveSpeaker finds out who speaks, and to whom.
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

// The binding's own callback prints into a fixed buffer without a bound, and a
// long file name or tag is enough to run over it; this one cuts.
static void carveLog(void *ptr, int level, const char *fmt, va_list args) {
	if (level >= 0) level &= 0xff; // above are hints about colours
	// Of packets that are missing in MPEG-TS only this line for debugging tells.
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
