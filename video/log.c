#include <stdarg.h>

#include <libavutil/log.h>

#include "shim.h"
#include "_cgo_export.h"

// The binding's own callback prints into a fixed buffer without a bound, and a
// long file name or tag is enough to run over it; this one cuts.
static void carveLog(void *ptr, int level, const char *fmt, va_list args) {
	if (level > av_log_get_level()) return;
	char line[1024];
	int prefix = 0;
	const char *name = "";
	int category = AV_CLASS_CATEGORY_NA;
	const AVClass *class = ptr ? *(const AVClass **)ptr : NULL;
	av_log_format_line2(ptr, level, fmt, args, line, sizeof(line), &prefix);
	if (class) {
		if (class->item_name) name = class->item_name(ptr);
		category = class->get_category ? class->get_category(ptr) : class->category;
	}
	carveLogLine(level, category, (char *)name, line);
}

void carveLogInstall(void) {
	av_log_set_callback(carveLog);
}
