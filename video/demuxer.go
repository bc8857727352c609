package video

//#include <libavformat/avformat.h>
//#include <stdlib.h>
//#include "shim.h"
import "C"

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"unsafe"

	"github.com/asticode/go-astiav"
)

// A demuxer is an opened file. FFmpeg gets the open file and a list of protocols with
// which it may open others. For a plain file this list is empty: whatever its content
// says, and whichever format FFmpeg recognises, no other file is opened and no host is
// contacted.
type demuxer struct {
	format *astiav.FormatContext
	file   *astiav.IOContext
	pipe   *pipe                 // what file reads if it is not a regular file
	guard  *C.carvePlaylistGuard // if playlists are allowed
}

// Protocols that the content of a file may name: none, or, if playlists are allowed,
// those that stay on this machine. Playlists on disk that name hosts are refused either
// way.
const (
	noProtocols    = "none" // not a protocol; an empty list would allow all
	localProtocols = "file,crypto,data"
)

// playlistReads bounds the reads until a playlist has led to its first video, because
// one that names itself would be followed for ever.
const playlistReads = 4096

// playlistFormats are the formats whose files name other files.
var playlistFormats = []string{"concat", "dash", "hls", "imf"}

// Formats that are never opened: they name hosts to contact, or are scripts that FFmpeg
// would run.
var (
	sessionFormats = []string{"rtp", "rtsp", "sap", "sdp"}
	scriptFormats  = []string{"avisynth", "vapoursynth"}
)

// openDemuxer opens a file and reads its header. An error includes the log line of
// FFmpeg that explains it.
func openDemuxer(path string, allowPlaylists bool) (_ *demuxer, err error) {
	fail := func(what error, detail string) error { return &PathError{Path: path, Err: what, Detail: detail} }
	d := &demuxer{}
	defer func() {
		if err != nil {
			d.close()
		}
	}()
	var name string
	var unopened error
	lines, err := watchErrors(func() (err error) {
		// "file:" keeps a name such as "take:2.mp4" from being read as a protocol.
		url := "file:" + path
		if unopened = d.openFile(path, url); unopened != nil {
			return unopened
		}
		if name, err = d.probe(url); err != nil {
			return err
		}
		switch {
		case slices.Contains(sessionFormats, name):
			return ErrNotLocal
		case slices.Contains(scriptFormats, name):
			return ErrNotMedia
		case slices.Contains(playlistFormats, name) && !allowPlaylists:
			return ErrPlaylist
		}
		if d.pipe != nil && name != "mpegts" {
			d.pipe.history.drop() // only recordings of this format are joined byte by byte
		}
		return d.open(url, name, allowPlaylists)
	})
	if err == nil {
		return d, nil
	}
	if unopened == nil && d.pipe != nil && d.pipe.history.end == 0 {
		return nil, fail(ErrEmpty, "")
	}
	for _, known := range []error{ErrNotLocal, ErrNotMedia, ErrPlaylist} {
		if errors.Is(err, known) {
			return nil, fail(known, name)
		}
	}
	if errors.Is(err, errOutOfMemory) {
		return nil, fmt.Errorf("opening the input: %w", err)
	}
	// If the file could not be opened, nothing is known about its content.
	if unopened != nil || errors.Is(err, errTooManyFiles) {
		return nil, fail(ErrUnreadable, lowerFirst(reason(err)))
	}
	if errors.Is(err, astiav.ErrExit) {
		return nil, fail(ErrNotMedia, name+", which names itself or does not end")
	}
	refused := func(what string) bool {
		return slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, what) && strings.Contains(l, "not on whitelist") })
	}
	switch {
	case refused("Protocol") && !allowPlaylists:
		// An unlisted format tried to open another file.
		return nil, fail(ErrPlaylist, name)
	case refused("Protocol"), refused("Format"):
		return nil, fail(ErrNotLocal, name)
	}
	return nil, fail(ErrNotMedia, detail(lines, err))
}

// probe returns FFmpeg's name for the format of the file.
func (d *demuxer) probe(url string) (string, error) {
	curl := C.CString(url)
	defer C.free(unsafe.Pointer(curl))
	var f *C.AVInputFormat
	if err := check(C.av_probe_input_buffer2((*C.AVIOContext)(pointer(d.file)), &f, curl, nil, 0, 0)); err != nil {
		return "", err
	}
	return C.GoString(f.name), nil
}

// open reads the header of the file as the format name.
func (d *demuxer) open(url, name string, allowPlaylists bool) error {
	protocols := noProtocols
	if allowPlaylists {
		protocols = localProtocols
	}
	options := astiav.NewDictionary()
	defer options.Free()
	for _, kv := range [][2]string{
		{"protocol_whitelist", protocols},
		{"format_whitelist", ownFormats()}, // for files that a playlist names
		// A name with a percent sign is a plain name, not a numbered series. Other
		// demuxers ignore the option.
		{"pattern_type", "none"},
		// Do not wait for more of an HLS playlist that does not state its end.
		{"max_reload", "1"},
	} {
		if err := options.Set(kv[0], kv[1], astiav.NewDictionaryFlags()); err != nil {
			return err
		}
	}
	if d.format = astiav.AllocFormatContext(); d.format == nil {
		return errOutOfMemory
	}
	d.format.SetPb(d.file)
	if allowPlaylists {
		if d.guard = C.carvePlaylistGuardNew(cFormat(d.format), playlistReads); d.guard == nil {
			return errOutOfMemory
		}
		defer C.carvePlaylistGuardRest(d.guard)
	}
	// One of the aliases of a format is enough to find it.
	first, _, _ := strings.Cut(name, ",")
	if err := d.format.OpenInput(url, astiav.FindInputFormat(first), options); err != nil {
		d.format = nil // OpenInput freed it
		return err
	}
	return nil
}

// ownFormats lists the formats that read media from a file.
var ownFormats = sync.OnceValue(func() string {
	var names []string
	var at unsafe.Pointer
	for f := C.av_demuxer_iterate(&at); f != nil; f = C.av_demuxer_iterate(&at) {
		if name := C.GoString(f.name); !slices.Contains(sessionFormats, name) && !slices.Contains(scriptFormats, name) {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
})

func (d *demuxer) close() {
	if d.format != nil {
		d.format.CloseInput()
		d.format = nil
	}
	if d.pipe != nil {
		d.pipe.close(d.file)
		d.pipe, d.file = nil, nil
	}
	if d.file != nil {
		_ = d.file.Close() // it was only read
		d.file = nil
	}
	if d.guard != nil {
		C.free(unsafe.Pointer(d.guard))
		d.guard = nil
	}
}
