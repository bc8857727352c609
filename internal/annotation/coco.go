package annotation

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/carve-video/carve/internal/boundedjson"
	"github.com/carve-video/carve/internal/plaintext"
	"github.com/carve-video/carve/internal/plural"
)

// cocoFile is a whole data set, with only the fields that are used.
type cocoFile struct {
	Videos      []cocoVideo    `json:"videos"`
	Categories  []cocoCategory `json:"categories"`
	Annotations []cocoTrack    `json:"annotations"`
}

type cocoVideo struct {
	ID        int      `json:"id"`
	Name      string   `json:"name"`
	Width     int      `json:"width"`
	Height    int      `json:"height"`
	Length    int      `json:"length"`
	FileNames []string `json:"file_names"`
}

type cocoCategory struct {
	ID   int    `json:"id"`
	Name string `json:"name"`
}

// A cocoTrack is one instance in one video, null in frames where it is not visible. A
// bare list of results gives it a score. In a data set it may be a crowd: a region with
// many instances that are not annotated one by one.
type cocoTrack struct {
	ID            int      `json:"id"`
	VideoID       int      `json:"video_id"`
	CategoryID    int      `json:"category_id"`
	Score         *float64 `json:"score"`
	Crowd         int      `json:"iscrowd"`
	Segmentations []*RLE   `json:"segmentations"`
}

// cocoLimits allow several times the size of the largest published video data set,
// which has 230 000 masks.
var cocoLimits = boundedjson.Limits{Bytes: 1 << 29, Depth: 16, Count: 1 << 22}

// maxLength bounds the number of frames of a video: about twelve hours.
const maxLength = 1 << 20

// openJSON opens one video of a data set or of a list of results. All instances of a
// category are one object, since carve finds concepts, not individuals. A crowd becomes
// void where there is nothing else.
func openJSON(path string, o Options) (*Sequence, error) {
	data, err := plaintext.ReadFile(path, cocoLimits.Bytes)
	if err != nil {
		return nil, err
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	var file cocoFile
	results := bytes.HasPrefix(bytes.TrimSpace(data), []byte("["))
	if results {
		err = cocoLimits.Unmarshal(data, &file.Annotations)
	} else {
		err = cocoLimits.Unmarshal(data, &file)
	}
	if err != nil {
		return nil, fmt.Errorf("reading %s as masks in COCO's form: %w", path, err)
	}
	s := &Sequence{Path: path}
	var video int
	if results {
		video, err = s.describeResults(&file, o)
	} else {
		video, err = s.describeVideo(&file, o)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	c := &cocoVideoMasks{w: s.W, h: s.H}
	if err := c.pick(s, &file, video, o.MinScore); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	c.objects = s.Objects
	s.read = c.frame
	return s, nil
}

// describeVideo takes size, length and objects from the head of a data set.
func (s *Sequence) describeVideo(file *cocoFile, o Options) (id int, err error) {
	var found []cocoVideo
	for _, v := range file.Videos {
		if o.Video == "" || o.Video == strconv.Itoa(v.ID) || o.Video == v.Name || o.Video == videoName(v) {
			found = append(found, v)
		}
	}
	if len(found) != 1 {
		return 0, &VideoError{Asked: o.Video, Videos: videoNames(file.Videos)}
	}
	v := found[0]
	if !plausible(v.Width, v.Height) {
		return 0, fmt.Errorf("video %d is %dx%d", v.ID, v.Width, v.Height)
	}
	if v.Length == 0 {
		v.Length = len(v.FileNames)
	}
	if v.Length <= 0 {
		return 0, fmt.Errorf("video %d has no frames", v.ID)
	}
	if v.Length > maxLength {
		return 0, fmt.Errorf("video %d has %d frames; %d at most", v.ID, v.Length, maxLength)
	}
	if n := len(v.FileNames); n != 0 && n != v.Length {
		return 0, fmt.Errorf("video %d has %s and %s", v.ID, plural.Of(v.Length, "frame"), plural.Irregular(n, "name of a file", "names of files"))
	}
	s.W, s.H, s.length = v.Width, v.Height, v.Length
	for _, name := range v.FileNames {
		s.names = append(s.names, strings.TrimSuffix(filepath.Base(name), filepath.Ext(name)))
	}
	for _, c := range file.Categories {
		s.Objects = append(s.Objects, Object(c))
	}
	sortObjects(s.Objects)
	seen := map[string]bool{}
	for i, c := range s.Objects {
		if i > 0 && c.ID == s.Objects[i-1].ID {
			return 0, fmt.Errorf("category %d is there twice", c.ID)
		}
		if c.ID <= 0 || c.Name == "" || seen[c.Name] {
			return 0, fmt.Errorf("category %d is called %q; each needs a number above 0 and a name of its own", c.ID, c.Name)
		}
		if err := checkName(c.Name); err != nil {
			return 0, fmt.Errorf("category %d: %w", c.ID, err)
		}
		seen[c.Name] = true
	}
	s.ids = s.Objects
	return v.ID, nil
}

// describeResults takes what a bare list lacks from the sequence it is compared with,
// or else from its masks.
func (s *Sequence) describeResults(file *cocoFile, o Options) (id int, err error) {
	var videos []int
	for _, t := range file.Annotations {
		if !slices.Contains(videos, t.VideoID) {
			videos = append(videos, t.VideoID)
		}
	}
	slices.Sort(videos)
	switch {
	case o.Like != nil && o.Like.video != nil:
		id = *o.Like.video // the list may hold no result for this video
	case o.Video == "" && len(videos) == 1:
		id = videos[0]
	case len(videos) > 0:
		at := slices.IndexFunc(videos, func(v int) bool { return strconv.Itoa(v) == o.Video })
		if at < 0 {
			var names []string
			for _, v := range videos {
				names = append(names, strconv.Itoa(v))
			}
			return 0, &VideoError{Asked: o.Video, Videos: names}
		}
		id = videos[at]
	}
	if o.Like != nil {
		s.W, s.H, s.length, s.names = o.Like.W, o.Like.H, o.Like.length, o.Like.names
		s.ids = o.Like.ids
	}
	seen := map[int]bool{}
	for _, t := range file.Annotations {
		if t.VideoID != id {
			continue
		}
		if s.length == 0 {
			s.length = len(t.Segmentations)
		}
		for _, r := range t.Segmentations {
			if r != nil && s.W == 0 {
				s.W, s.H = r.W, r.H
			}
		}
		if t.CategoryID > 0 && !seen[t.CategoryID] {
			seen[t.CategoryID] = true
			s.Objects = append(s.Objects, s.objectByID(t.CategoryID))
		}
	}
	if s.length == 0 || s.W == 0 {
		return 0, fmt.Errorf("nothing was found, so that not even the size of the video is known")
	}
	// If only some objects had names, the others could not be matched.
	if slices.ContainsFunc(s.Objects, func(o Object) bool { return o.Name == "" }) {
		for i := range s.Objects {
			s.Objects[i].Name = ""
		}
	}
	sortObjects(s.Objects)
	return id, nil
}

// objectByID returns the object with a number, with its name if it has one.
func (s *Sequence) objectByID(id int) Object {
	for _, o := range s.ids {
		if o.ID == id {
			return o
		}
	}
	return Object{ID: id}
}

// A VideoError says that a file has several videos, or not the one asked for.
type VideoError struct {
	Asked  string   // empty if none was asked for
	Videos []string // names, or numbers where there are none
}

func (e *VideoError) Error() string {
	switch {
	case len(e.Videos) == 0:
		return "there is no video in it"
	case e.Asked == "":
		return fmt.Sprintf("there are %d videos in it: %s", len(e.Videos), abbreviate(e.Videos))
	}
	return fmt.Sprintf("there is no video %q in it, but %s", e.Asked, abbreviate(e.Videos))
}

// abbreviate shortens a list for a message.
func abbreviate(names []string) string {
	if len(names) > 8 {
		names = append(slices.Clone(names[:8]), "…")
	}
	return strings.Join(names, ", ")
}

// videoName is the name of a video, or else the folder of its frames, which such data
// sets use as the name.
func videoName(v cocoVideo) string {
	if v.Name == "" && len(v.FileNames) > 0 && strings.Contains(v.FileNames[0], "/") {
		return filepath.Dir(v.FileNames[0])
	}
	return v.Name
}

func videoNames(videos []cocoVideo) []string {
	var names []string
	for _, v := range videos {
		if name := videoName(v); name != "" {
			names = append(names, name)
		} else {
			names = append(names, strconv.Itoa(v.ID))
		}
	}
	return names
}
