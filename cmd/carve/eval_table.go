package main

import (
	"encoding/json"
	"math"
	"strconv"
)

// A figure is a measure, which is not a number where there was nothing to
// measure: – in a table, null in JSON.
type figure float64

func (f figure) String() string {
	if math.IsNaN(float64(f)) {
		return "–"
	}
	return strconv.FormatFloat(float64(f), 'f', 3, 64)
}

// MarshalJSON implements [json.Marshaler].
func (f figure) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(f))
}

// UnmarshalJSON implements [json.Unmarshaler]: null is no number.
func (f *figure) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*f = figure(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(f))
}

// figures are the cells of a row.
func figures(values ...float64) []string {
	var cells []string
	for _, v := range values {
		cells = append(cells, figure(v).String())
	}
	return cells
}
