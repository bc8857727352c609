package evaluate

import (
	"encoding/json"
	"math"
	"strconv"
)

// A Figure is a measured value. It is not a number if there was nothing to measure,
// which is – in a table and null in JSON.
type Figure float64

func (f Figure) String() string {
	if math.IsNaN(float64(f)) {
		return "–"
	}
	return strconv.FormatFloat(float64(f), 'f', 3, 64)
}

// MarshalJSON implements [json.Marshaler].
func (f Figure) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(f)) || math.IsInf(float64(f), 0) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(f))
}

// UnmarshalJSON implements [json.Unmarshaler]: null becomes not a number.
func (f *Figure) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*f = Figure(math.NaN())
		return nil
	}
	return json.Unmarshal(b, (*float64)(f))
}

// figures formats the cells of a row.
func figures(values ...float64) []string {
	var cells []string
	for _, v := range values {
		cells = append(cells, Figure(v).String())
	}
	return cells
}
