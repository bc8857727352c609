package ortdist

// onnxRuntime is the version of the builds; scripts/setup/runtime.sh reads it here.
const onnxRuntime = "1.30.0"

// Builds returns all builds, of all platforms.
func Builds() []Build {
	return []Build{cpu("amd64", Member{
		From:   "package/bin/napi-v6/linux/x64/libonnxruntime.so.1",
		To:     "libonnxruntime.so",
		Size:   45828512,
		SHA256: "ffb75a925ba05e47b235bb66e3e3911714a80b328a9c9425539feb204aa32a23",
	}), cpu("arm64", Member{
		From:   "package/bin/napi-v6/linux/arm64/libonnxruntime.so.1",
		To:     "libonnxruntime.so",
		Size:   25135496,
		SHA256: "1f549d46250b005580b597f4164984aaf75b3bcb9f3aeb07c7f8a8fe60b23c76",
	}), cuda()}
}

// cpu comes from the package for Node.js: it is the only one of a public registry that
// has the bare library, for both platforms.
func cpu(arch string, library Member) Build {
	return Build{
		Name:    "cpu",
		Version: onnxRuntime,
		OS:      "linux",
		Arch:    arch,
		Library: library.To,
		Archives: []Archive{{
			Name:    "onnxruntime-node-1.30.0.tgz",
			URL:     "https://registry.npmjs.org/onnxruntime-node/-/onnxruntime-node-1.30.0.tgz",
			SHA256:  "6e3390d6b783e7be946fad629292799da28d0b42f84856e50d2c1b0383291e75",
			Size:    113507888,
			Licence: "MIT",
			Members: []Member{library},
		}},
	}
}
