package stickers

import (
	"bytes"
	"encoding/binary"
	"math"
)

// SoundRate is the number of samples a second of [Clip.Sound].
const SoundRate = 48000

// Sound returns the sound of the clip as a 16-bit stereo WAV file, exactly as long as
// the video. Every track plays a note of a pentatonic scale while it is in the image,
// panned to its position.
func (c *Clip) Sound() []byte {
	n := int(math.Round(c.Seconds(c.Len()) * SoundRate))
	left, right := make([]float64, n), make([]float64, n)
	scale := []float64{0, 2, 4, 7, 9} // semitones
	const step = SoundRate / 100      // poses are computed 100 times a second
	for i := range c.Tracks {
		t := &c.Tracks[i]
		note := scale[i%len(scale)] + 12*float64(i/len(scale))
		freq := 220 * math.Pow(2, note/12)
		var vol, pan float64
		for s := range n {
			if s%step == 0 {
				vol = 0
				if p, ok := t.at(float64(s)/SoundRate, 1, 1); ok {
					// 1 well inside the image, 0 when it has just left.
					edge := min(p.X, 1-p.X, p.Y, 1-p.Y)
					vol = min(max(.5+4*edge, 0), 1)
					pan = min(max(p.X, 0), 1)
				}
			}
			at := float64(s) / SoundRate
			// A bell: struck twice a second, decaying, with a soft overtone.
			since := math.Mod(at+.13*float64(i), .5)
			bell := math.Exp(-6*since) * min(since*200, 1)
			v := vol * bell * (math.Sin(2*math.Pi*freq*at) + .3*math.Sin(6*math.Pi*freq*at))
			left[s] += v * math.Sqrt(1-pan)
			right[s] += v * math.Sqrt(pan)
		}
	}
	var b bytes.Buffer
	le := binary.LittleEndian
	put := func(v any) { _ = binary.Write(&b, le, v) } // a Buffer never fails
	b.WriteString("RIFF")
	put(uint32(36 + 4*n))
	b.WriteString("WAVEfmt ")
	put(struct {
		Size                   uint32
		Format, Channels       uint16
		Rate, BytesPerSecond   uint32
		BytesPerFrame, BitsPer uint16
	}{16, 1, 2, SoundRate, 4 * SoundRate, 4, 16})
	b.WriteString("data")
	put(uint32(4 * n))
	samples := make([]int16, 0, 2*n)
	for s := range n {
		samples = append(samples, loudness(left[s]), loudness(right[s]))
	}
	put(samples)
	return b.Bytes()
}

// loudness turns a sum of voices into a sample; tanh prevents chords from clipping.
func loudness(v float64) int16 { return int16(math.Round(.5 * 32767 * math.Tanh(v))) }
