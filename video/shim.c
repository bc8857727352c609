#include "shim.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <libavutil/dict.h>
#include <libavutil/mem.h>
#include <libavutil/timecode.h>
#include <libavutil/opt.h>
#include <libavutil/stereo3d.h>

int carveFrameCopyProps(AVFrame *dst, const AVFrame *src) {
	// av_frame_copy_props appends side data, and dst is reused.
	av_frame_side_data_free(&dst->side_data, &dst->nb_side_data);
	return av_frame_copy_props(dst, src);
}

int carveFrameMatrix(const AVFrame *f, int32_t *m) {
	const AVFrameSideData *sd = av_frame_get_side_data(f, AV_FRAME_DATA_DISPLAYMATRIX);
	if (!sd || sd->size < 9 * sizeof(int32_t)) return 0;
	memcpy(m, sd->data, 9 * sizeof(int32_t));
	return 1;
}

void carveFrameForEncoder(AVFrame *f, int64_t pts, int64_t duration) {
	f->pts = pts;
	f->duration = duration;
	// The encoder chooses the picture type; a type that is set would be forced.
	f->pict_type = AV_PICTURE_TYPE_NONE;
}

int carveParametersMatrix(const AVCodecParameters *p, int32_t *m) {
	const AVPacketSideData *sd = av_packet_side_data_get(p->coded_side_data, p->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
	if (!sd || sd->size < 9 * sizeof(int32_t)) return 0;
	memcpy(m, sd->data, 9 * sizeof(int32_t));
	return 1;
}

int carveParametersSetMatrix(AVCodecParameters *p, const int32_t *m) {
	AVPacketSideData *sd = av_packet_side_data_new(&p->coded_side_data, &p->nb_coded_side_data,
		AV_PKT_DATA_DISPLAYMATRIX, 9 * sizeof(int32_t), 0);
	if (!sd) return AVERROR(ENOMEM);
	memcpy(sd->data, m, 9 * sizeof(int32_t));
	return 0;
}

void carveParametersDropMatrix(AVCodecParameters *p) {
	av_packet_side_data_remove(p->coded_side_data, &p->nb_coded_side_data, AV_PKT_DATA_DISPLAYMATRIX);
}

int carveParametersForCopy(AVCodecParameters *dst, const AVCodecParameters *src, const AVOutputFormat *of) {
	int err = avcodec_parameters_copy(dst, src);
	if (err < 0) return err;
	// Matroska's audio does not state a channel layout, but the MP4 family needs one.
	if (dst->codec_type == AVMEDIA_TYPE_AUDIO && dst->ch_layout.order == AV_CHANNEL_ORDER_UNSPEC) {
		int n = dst->ch_layout.nb_channels;
		av_channel_layout_uninit(&dst->ch_layout);
		av_channel_layout_default(&dst->ch_layout, n);
	}
	// A codec tag belongs to its container. It is kept only if the new container gives
	// it the same meaning, or has no tags of its own.
	unsigned int tag;
	if (of->codec_tag && av_codec_get_id(of->codec_tag, src->codec_tag) != src->codec_id &&
		av_codec_get_tag2(of->codec_tag, src->codec_id, &tag))
		dst->codec_tag = 0;
	return 0;
}

int carveParametersCopySideData(AVCodecParameters *dst, const AVCodecParameters *src) {
	// Side data about the frames. Side data about the old bit stream (parameter sets,
	// encoder properties, Dolby Vision layers) must not be copied.
	static const enum AVPacketSideDataType kinds[] = {
		AV_PKT_DATA_DISPLAYMATRIX, AV_PKT_DATA_STEREO3D, AV_PKT_DATA_SPHERICAL,
		AV_PKT_DATA_MASTERING_DISPLAY_METADATA, AV_PKT_DATA_CONTENT_LIGHT_LEVEL,
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const AVPacketSideData *from = av_packet_side_data_get(src->coded_side_data, src->nb_coded_side_data, kinds[i]);
		if (!from) continue;
		if (kinds[i] == AV_PKT_DATA_STEREO3D && carveSeveralViews(src)) continue;
		AVPacketSideData *to = av_packet_side_data_new(&dst->coded_side_data, &dst->nb_coded_side_data, kinds[i], from->size, 0);
		if (!to) return AVERROR(ENOMEM);
		memcpy(to->data, from->data, from->size);
	}
	return 0;
}

int carveCanStore(const AVOutputFormat *of, int codec) {
	return avformat_query_codec(of, codec, FF_COMPLIANCE_EXPERIMENTAL);
}

int carveHasTag(const struct AVCodecTag *table, int codec) {
	const struct AVCodecTag *const tables[] = {table, NULL};
	unsigned int tag;
	return av_codec_get_tag2(tables, codec, &tag);
}

int carveBestPixelFormat(const int *list, int n, int src, int *loss) {
	const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(src);
	int alpha = d && (d->flags & AV_PIX_FMT_FLAG_ALPHA);
	enum AVPixelFormat best = AV_PIX_FMT_NONE;
	*loss = 0;
	for (int i = 0; i < n; i++) {
		const AVPixFmtDescriptor *c = av_pix_fmt_desc_get(list[i]);
		if (!c || (c->flags & AV_PIX_FMT_FLAG_HWACCEL)) continue;
		if (best == AV_PIX_FMT_NONE) {
			best = list[i];
			continue;
		}
		best = av_find_best_pix_fmt_of_2(best, list[i], src, alpha, NULL);
	}
	if (best != AV_PIX_FMT_NONE) av_find_best_pix_fmt_of_2(best, AV_PIX_FMT_NONE, src, alpha, loss);
	return best;
}

// FFmpeg calls this before every read, for whichever playlist it is in. Nested
// playlists are opened deeper in the stack.
static int playlistGuard(void *opaque) {
	static const uintptr_t deepest = 256 << 10;
	static _Thread_local uintptr_t top;
	carvePlaylistGuard *g = opaque;
	char here;
	uintptr_t at = (uintptr_t)&here;
	if (at > top) top = at;
	if (g->reads > 1) g->reads--; // it stays at 1, which means too many
	return top - at > deepest || g->reads == 1;
}

carvePlaylistGuard *carvePlaylistGuardNew(AVFormatContext *c, int reads) {
	carvePlaylistGuard *g = malloc(sizeof(*g));
	if (!g) return NULL;
	g->reads = reads;
	c->interrupt_callback = (AVIOInterruptCB){playlistGuard, g};
	return g;
}

// From here on only the depth is checked: a video may be read for hours.
void carvePlaylistGuardRest(carvePlaylistGuard *g) { g->reads = 0; }

static void dropPrefixed(AVDictionary **d, const char *prefix) {
	const AVDictionaryEntry *e;
	while ((e = av_dict_get(*d, prefix, NULL, AV_DICT_IGNORE_SUFFIX))) {
		char *key = av_strdup(e->key);
		if (!key) return;
		av_dict_set(d, key, NULL, AV_DICT_MATCH_CASE);
		av_free(key);
	}
}

int carveStreamCopyMetadata(AVStream *dst, const AVStream *src, int encoded) {
	dst->disposition = src->disposition;
	int err = av_dict_copy(&dst->metadata, src->metadata, 0);
	if (err < 0) return err;
	if (encoded) {
		// Tags about the old bit stream, which no longer hold.
		static const char *const stale[] = {"encoder", "BPS", "NUMBER_OF_", "_STATISTICS_", "rotate", "alpha_mode"};
		for (size_t i = 0; i < sizeof(stale) / sizeof(*stale); i++) dropPrefixed(&dst->metadata, stale[i]);
	}
	return 0;
}

int carveFormatCopyMetadata(AVFormatContext *dst, const AVFormatContext *src) {
	int err = av_dict_copy(&dst->metadata, src->metadata, 0);
	if (err < 0) return err;
	// The muxer sets these itself.
	static const char *const own[] = {"encoder", "major_brand", "minor_version", "compatible_brands", "duration"};
	for (size_t i = 0; i < sizeof(own) / sizeof(*own); i++) av_dict_set(&dst->metadata, own[i], NULL, 0);
	return 0;
}

int carveFormatCopyChapters(AVFormatContext *dst, const AVFormatContext *src) {
	if (!src->nb_chapters) return 0;
	dst->chapters = av_calloc(src->nb_chapters, sizeof(*dst->chapters));
	if (!dst->chapters) return AVERROR(ENOMEM);
	for (unsigned i = 0; i < src->nb_chapters; i++) {
		const AVChapter *from = src->chapters[i];
		AVChapter *to = av_mallocz(sizeof(*to));
		if (!to) return AVERROR(ENOMEM);
		to->id = from->id;
		to->time_base = from->time_base;
		to->start = from->start;
		to->end = from->end;
		dst->chapters[dst->nb_chapters++] = to;
		int err = av_dict_copy(&to->metadata, from->metadata, 0);
		if (err < 0) return err;
	}
	return 0;
}

int carveTimecodeFits(const AVFormatContext *c) {
	const AVDictionaryEntry *global = av_dict_get(c->metadata, "timecode", NULL, 0);
	for (unsigned i = 0; i < c->nb_streams; i++) {
		const AVStream *st = c->streams[i];
		const AVDictionaryEntry *own = av_dict_get(st->metadata, "timecode", NULL, 0);
		const AVDictionaryEntry *e = global ? global : own;
		if (st->codecpar->codec_type != AVMEDIA_TYPE_VIDEO || !e) continue;
		AVTimecode tc;
		// The muxer stores the frames per second in one byte.
		if (av_timecode_init_from_string(&tc, st->avg_frame_rate, e->value, NULL) < 0 || tc.fps > 255) return 0;
	}
	return 1;
}

static const AVStreamGroup *mainGrid(const AVFormatContext *c) {
	for (unsigned i = 0; i < c->nb_stream_groups; i++) {
		const AVStreamGroup *g = c->stream_groups[i];
		if (g->type == AV_STREAM_GROUP_PARAMS_TILE_GRID && g->disposition & AV_DISPOSITION_DEFAULT) return g;
	}
	return NULL;
}

const AVStreamGroupTileGrid *carveTileGrid(const AVFormatContext *c) {
	const AVStreamGroup *g = mainGrid(c);
	return g ? g->params.tile_grid : NULL;
}

// Returns the stream index of tile i and its position.
int carveTile(const AVFormatContext *c, const AVStreamGroupTileGrid *g, int i, int *tile) {
	const AVStreamGroup *group = mainGrid(c);
	unsigned of = g->offsets[i].idx;
	if (!group || of >= group->nb_streams) return 0;
	tile[0] = group->streams[of]->index;
	tile[1] = g->offsets[i].horizontal;
	tile[2] = g->offsets[i].vertical;
	return 1;
}

int carveFrameFill(AVFrame *f, const uint8_t *rgba) {
	ptrdiff_t strides[4];
	for (int i = 0; i < 4; i++) strides[i] = f->linesize[i];
	// Tiles usually cover the whole image. Outside them, formats without RGB get only
	// the brightness of the background.
	uint32_t colour[4] = {0};
	const AVPixFmtDescriptor *d = av_pix_fmt_desc_get(f->format);
	if (!d) return AVERROR(EINVAL);
	if (d->flags & AV_PIX_FMT_FLAG_RGB) {
		for (int i = 0; i < d->nb_components; i++) colour[i] = (uint32_t)rgba[i] << (d->comp[i].depth - 8);
	} else {
		int y = (77 * rgba[0] + 150 * rgba[1] + 29 * rgba[2]) >> 8;
		colour[0] = (uint32_t)y << (d->comp[0].depth - 8);
		for (int i = 1; i < d->nb_components; i++) colour[i] = 128u << (d->comp[i].depth - 8);
		if (d->flags & AV_PIX_FMT_FLAG_ALPHA) colour[d->nb_components - 1] = (uint32_t)rgba[3] << (d->comp[0].depth - 8);
	}
	return av_image_fill_color(f->data, strides, f->format, colour, f->width, f->height, 0);
}

int carveContextLight(AVCodecContext *c, const AVFrame *f) {
	static const enum AVFrameSideDataType kinds[] = {
		AV_FRAME_DATA_MASTERING_DISPLAY_METADATA, AV_FRAME_DATA_CONTENT_LIGHT_LEVEL, AV_FRAME_DATA_AMBIENT_VIEWING_ENVIRONMENT,
	};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		const AVFrameSideData *sd = av_frame_get_side_data(f, kinds[i]);
		if (!sd) continue;
		int err = av_frame_side_data_clone(&c->decoded_side_data, &c->nb_decoded_side_data, sd, 0);
		if (err < 0) return err;
	}
	return 0;
}

int carveCodecViews(AVCodecContext *c) {
	unsigned n = 0;
	if (!c->codec || !c->codec->priv_class || av_opt_get_array_size(c, "view_ids_available", AV_OPT_SEARCH_CHILDREN, &n) < 0) return 1;
	return n > 0 ? n : 1;
}

int carveSeveralViews(const AVCodecParameters *p) {
	const AVPacketSideData *sd = av_packet_side_data_get(p->coded_side_data, p->nb_coded_side_data, AV_PKT_DATA_STEREO3D);
	// Views packed into one frame have a type.
	return sd && ((const AVStereo3D *)sd->data)->type == AV_STEREO3D_UNSPEC;
}

int carveTryHeader(const AVOutputFormat *of, const AVStream *in) {
	AVFormatContext *c = NULL;
	int err = avformat_alloc_output_context2(&c, of, NULL, NULL);
	if (err < 0) return err;
	c->strict_std_compliance = FF_COMPLIANCE_EXPERIMENTAL;
	AVStream *st = avformat_new_stream(c, NULL);
	err = st ? carveParametersForCopy(st->codecpar, in->codecpar, of) : AVERROR(ENOMEM);
	if (err >= 0) {
		st->time_base = in->time_base;
		st->disposition = in->disposition;
		err = avio_open_dyn_buf(&c->pb);
	}
	if (err >= 0) err = avformat_write_header(c, NULL);
	if (c->pb) {
		uint8_t *written = NULL;
		avio_close_dyn_buf(c->pb, &written);
		av_free(written);
		c->pb = NULL;
	}
	avformat_free_context(c);
	return err < 0 ? err : 0;
}

int carveStreamSetAttachment(AVStream *out, const AVStream *cover) {
	const AVPacket *p = &cover->attached_pic;
	if (p->size <= 0) return AVERROR_INVALIDDATA;
	AVCodecParameters *to = out->codecpar;
	to->codec_type = AVMEDIA_TYPE_ATTACHMENT;
	to->codec_id = cover->codecpar->codec_id;
	to->extradata = av_mallocz(p->size + AV_INPUT_BUFFER_PADDING_SIZE);
	if (!to->extradata) return AVERROR(ENOMEM);
	memcpy(to->extradata, p->data, p->size);
	to->extradata_size = p->size;
	out->disposition = 0;
	return 0;
}

int carveHeaderDuration(const AVFormatContext *c) {
	return c->duration != AV_NOPTS_VALUE && c->duration_estimation_method == AVFMT_DURATION_FROM_STREAM;
}

int carveFindStreamInfo(AVFormatContext *c, int64_t pixels) {
	// Probing opens decoders of its own. It takes one dictionary for each stream that
	// is known so far.
	unsigned n = c->nb_streams;
	AVDictionary **options = av_calloc(n + 1, sizeof(*options));
	if (!options) return AVERROR(ENOMEM);
	for (unsigned i = 0; i < n; i++) av_dict_set_int(&options[i], "max_pixels", pixels, 0);
	int err = avformat_find_stream_info(c, options);
	for (unsigned i = 0; i < n; i++) av_dict_free(&options[i]);
	av_free(options);
	return err;
}

int carveReadError(const AVFormatContext *c) {
	return c->pb && c->pb->error && c->pb->error != AVERROR_EOF ? c->pb->error : 0;
}

int carveCodecLag(const AVCodecContext *c) {
	return c->active_thread_type & FF_THREAD_FRAME ? c->thread_count : 0;
}
