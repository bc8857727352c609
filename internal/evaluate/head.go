package evaluate

import (
	"crypto/sha256"
	"encoding/hex"
)

// A Head is the first line of a results file: what all samples of the file have in
// common.
type Head struct {
	MessageType string   `json:"message_type"` // "run"
	Version     string   `json:"version"`
	Dataset     string   `json:"dataset"`
	Split       string   `json:"split,omitempty"`
	Protocol    string   `json:"protocol"`
	Model       string   `json:"model"`
	Classifier  string   `json:"classifier,omitempty"`
	Precision   string   `json:"precision"`
	MaxSide     int      `json:"max_side,omitempty"`
	Preset      string   `json:"preset"`
	Compat      bool     `json:"compat,omitempty"`
	Memory      string   `json:"memory"`
	Oracle      bool     `json:"oracle,omitempty"`
	Settings    string   `json:"settings"` // [Fingerprint] of the preset with all changes to it
	Notes       []string `json:"notes,omitempty"`
}

// Fingerprint is a short hash of a text.
func Fingerprint(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
