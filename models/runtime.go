package models

import "github.com/carve-video/carve/internal/ort"

// Runtime finds and opens ONNX Runtime's library and returns its path and its
// version, or an [ErrNoRuntime].
func Runtime() (path, version string, err error) {
	if err := ort.Start(); err != nil {
		return "", "", err
	}
	path, version = ort.Library()
	return path, version, nil
}

// Device is the device of the model's sessions, in the form of [Options].Device: "cpu",
// "cuda:1". It is empty before the first role is created.
func (m *Model) Device() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case m.proposer != nil:
		return m.proposer.trunk.Device()
	case m.judge != nil:
		return m.judge.session.Device()
	}
	return ""
}
