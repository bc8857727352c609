// Functions that the Go binding of FFmpeg lacks. All of them are thin accessors without
// state or policy.
#ifndef CARVE_VIDEO_SHIM_H
#define CARVE_VIDEO_SHIM_H

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <errno.h>
#include <stdint.h>
#include <libavutil/avutil.h>
#include <libavutil/display.h>
#include <libavutil/frame.h>
#include <libavutil/imgutils.h>
#include <libavutil/mathematics.h>
#include <libavutil/pixdesc.h>

// The source of a log line.
enum carveVoice {
	CARVE_VOICE_OTHER,   // no context, or an independent one: files, bit stream filters
	CARVE_VOICE_DEMUXER,
	CARVE_VOICE_DECODER, // with a listener
	CARVE_VOICE_INNER,   // a codec context of the demuxer itself: parsers, probing
	CARVE_VOICE_GAP,     // the MPEG-TS demuxer, about a jump of a packet counter
};

void carveLogInstall(void);
void carveListen(uintptr_t listener);
void carveCodecListener(AVCodecContext *c, uintptr_t listener);
int carveCodecLag(const AVCodecContext *c);

int carveFrameCopyProps(AVFrame *dst, const AVFrame *src);
int carveFrameMatrix(const AVFrame *f, int32_t *m);
void carveFrameForEncoder(AVFrame *f, int64_t pts, int64_t duration);

int carveParametersMatrix(const AVCodecParameters *p, int32_t *m);
int carveParametersSetMatrix(AVCodecParameters *p, const int32_t *m);
void carveParametersDropMatrix(AVCodecParameters *p);
int carveParametersForCopy(AVCodecParameters *dst, const AVCodecParameters *src, const AVOutputFormat *of);
int carveParametersCopySideData(AVCodecParameters *dst, const AVCodecParameters *src);

int carveCanStore(const AVOutputFormat *of, int codec);
int carveHasTag(const struct AVCodecTag *table, int codec);
int carveBestPixelFormat(const int *list, int n, int src, int *loss);

// A guard stops playlists that name themselves.
typedef struct carvePlaylistGuard { int reads; } carvePlaylistGuard;
carvePlaylistGuard *carvePlaylistGuardNew(AVFormatContext *c, int reads);
void carvePlaylistGuardRest(carvePlaylistGuard *g);

int carveStreamCopyMetadata(AVStream *dst, const AVStream *src, int encoded);
int carveFormatCopyMetadata(AVFormatContext *dst, const AVFormatContext *src);
int carveFormatCopyChapters(AVFormatContext *dst, const AVFormatContext *src);
int carveTimecodeFits(const AVFormatContext *c);
const AVStreamGroupTileGrid *carveTileGrid(const AVFormatContext *c);
int carveTile(const AVFormatContext *c, const AVStreamGroupTileGrid *g, int i, int *tile);
int carveFrameFill(AVFrame *f, const uint8_t *rgba);
int carveContextLight(AVCodecContext *c, const AVFrame *f);
int carveCodecViews(AVCodecContext *c);
int carveSeveralViews(const AVCodecParameters *p);
int carveTryHeader(const AVOutputFormat *of, const AVStream *in);
int carveStreamSetAttachment(AVStream *out, const AVStream *cover);
int carveHeaderDuration(const AVFormatContext *c);
int carveFindStreamInfo(AVFormatContext *c, int64_t pixels);
int carveReadError(const AVFormatContext *c);

#endif
