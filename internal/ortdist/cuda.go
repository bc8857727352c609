package ortdist

// cuda is ONNX Runtime's wheel, for any version of Python (nothing of Python is used),
// and the wheels of CUDA 13.0, with which it was built.
//
// This is the smallest set that works. libcudart, libcublas (which needs libcublasLt)
// and libcurand are needed to load it. libcudnn is opened by the first operator that
// uses it, such as a convolution; cuDNN and cuBLAS compile kernels with libnvrtc.
// libcufft is left out: 214 MB that are only opened for Fourier transforms. A model
// with one fails unless the system has it. This cuDNN is the last release before they
// grew by 140 MB.
func cuda() Build {
	return Build{
		Name:    "cuda",
		Version: onnxRuntime,
		OS:      "linux",
		Arch:    "amd64",
		Library: "onnxruntime/capi/libonnxruntime.so.1.30.0",
		Preload: []string{
			"nvidia/cu13/lib/libcudart.so.13",
			// libnvrtc opens its builtins by bare name and has no RUNPATH: it does not
			// find them even in its own folder.
			"nvidia/cu13/lib/libnvrtc-builtins.so.13.0",
			"nvidia/cu13/lib/libnvrtc.so.13",
			"nvidia/cu13/lib/libcublasLt.so.13",
			"nvidia/cu13/lib/libcublas.so.13",
			"nvidia/cu13/lib/libcurand.so.10",
			"nvidia/cudnn/lib/libcudnn.so.9", // finds its own parts itself
		},
		Needs:    "an NVIDIA driver of version 580.65.06 or later (CUDA 13), and a GPU of the Turing generation or newer",
		Archives: cudaArchives(),
	}
}

// cudaArchives are the wheels and the members used of each. It is long because it is a
// flat table.
func cudaArchives() []Archive {
	return []Archive{
		{
			Name:    "onnxruntime_gpu-1.30.0-cp311-cp311-manylinux_2_28_x86_64.whl",
			URL:     "https://files.pythonhosted.org/packages/ea/71/b225bd559a718f6cefb058d4f4c4c95e556543f47d4be0e81819681ac347/onnxruntime_gpu-1.30.0-cp311-cp311-manylinux_2_28_x86_64.whl",
			SHA256:  "4fbf0c5d7b5fb99266c2e8a802e3e64af68bdc383e0f3c7349b985f1087eedaa",
			Size:    246658419,
			Licence: "MIT",
			Members: []Member{
				{From: "onnxruntime/capi/libonnxruntime.so.1.30.0", Size: 29062976, SHA256: "5a140dc17c8b60b35b2ceab0bb533e65ac54f06a208948417c1f9c31df6afc4c"},
				{From: "onnxruntime/capi/libonnxruntime_providers_shared.so", Size: 14632, SHA256: "086ec1d5388f64153d9c63470d126693db9a182c8ce236d3a1119068471b8a0d"},
				{From: "onnxruntime/capi/libonnxruntime_providers_cuda.so", Size: 272049904, SHA256: "9d7587acb137b31bf84e4d32dc444b969bb601d098b01395effcacfe4341e364"},
				{From: "onnxruntime/LICENSE", Size: 1073, SHA256: "2f07c72751aed99790b8a4869cf2311df85a860b22ded05fa22803587a48922c"},
				{From: "onnxruntime/ThirdPartyNotices.txt", Size: 338088, SHA256: "143764b952fdb1a7c69ce653bfba74a7744d6a8a573bfb73e235fba356c83de3"},
			},
		},
		{
			Name:      "nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
			URL:       "https://files.pythonhosted.org/packages/2e/24/d1558f3b68b1d26e706813b1d10aa1d785e4698c425af8db8edc3dced472/nvidia_cuda_runtime-13.0.96-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
			SHA256:    "7f82250d7782aa23b6cfe765ecc7db554bd3c2870c43f3d1821f1d18aebf0548",
			Size:      2243632,
			Licence:   "NVIDIA CUDA Toolkit EULA",
			Libraries: true,
			Members: []Member{
				{From: "nvidia/cu13/lib/libcudart.so.13", Size: 704288, SHA256: "96c42e418cec19054186b9429c321603cc190bf26a18104e19408117a2a817b0"},
				{From: "nvidia_cuda_runtime-13.0.96.dist-info/licenses/License.txt", To: "nvidia/licences/cuda_runtime.txt", Size: 59262, SHA256: "ad6f5853fba0ca0d159d0f58d49ae49830c2f8c93f7a92648b9ce90adb4c6ccd"},
			},
		},
		{
			Name:      "nvidia_cuda_nvrtc-13.0.88-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl",
			URL:       "https://files.pythonhosted.org/packages/c3/68/483a78f5e8f31b08fb1bb671559968c0ca3a065ac7acabfc7cee55214fd6/nvidia_cuda_nvrtc-13.0.88-py3-none-manylinux2010_x86_64.manylinux_2_12_x86_64.whl",
			SHA256:    "ad9b6d2ead2435f11cbb6868809d2adeeee302e9bb94bcf0539c7a40d80e8575",
			Size:      90215200,
			Licence:   "NVIDIA CUDA Toolkit EULA",
			Libraries: true,
			Members: []Member{
				{From: "nvidia/cu13/lib/libnvrtc-builtins.so.13.0", Size: 4380616, SHA256: "91dcd944d01da9c0f08fff5d779db136a47f6d62bdb63bae900d2f481e92c3a2"},
				{From: "nvidia/cu13/lib/libnvrtc.so.13", Size: 109338064, SHA256: "a49e67e8e74590f1e98de55c39c6287efd3f59e3c3797464d7bbe0fe01349b11"},
				{From: "nvidia_cuda_nvrtc-13.0.88.dist-info/licenses/License.txt", To: "nvidia/licences/cuda_nvrtc.txt", Size: 59262, SHA256: "ad6f5853fba0ca0d159d0f58d49ae49830c2f8c93f7a92648b9ce90adb4c6ccd"},
			},
		},
		{
			Name:      "nvidia_cublas-13.1.0.3-py3-none-manylinux_2_27_x86_64.whl",
			URL:       "https://files.pythonhosted.org/packages/e7/44/423ac00af4dd95a5aeb27207e2c0d9b7118702149bf4704c3ddb55bb7429/nvidia_cublas-13.1.0.3-py3-none-manylinux_2_27_x86_64.whl",
			SHA256:    "ee8722c1f0145ab246bccb9e452153b5e0515fd094c3678df50b2a0888b8b171",
			Size:      423133236,
			Licence:   "NVIDIA CUDA Toolkit EULA",
			Libraries: true,
			Members: []Member{
				{From: "nvidia/cu13/lib/libcublasLt.so.13", Size: 541595600, SHA256: "656298c804f5adbb0df930545c17911b9584ab4e5101c0eeb65d1fe881d880f8"},
				{From: "nvidia/cu13/lib/libcublas.so.13", Size: 54177976, SHA256: "e70f38efabe986acd5eb683497c62f0f1730a6176ee291d9d24c6e339d1fbf86"},
				{From: "nvidia_cublas-13.1.0.3.dist-info/licenses/License.txt", To: "nvidia/licences/cublas.txt", Size: 59262, SHA256: "ad6f5853fba0ca0d159d0f58d49ae49830c2f8c93f7a92648b9ce90adb4c6ccd"},
			},
		},
		{
			Name:      "nvidia_curand-10.4.0.35-py3-none-manylinux_2_27_x86_64.whl",
			URL:       "https://files.pythonhosted.org/packages/a5/9f/be0a41ca4a4917abf5cb9ae0daff1a6060cc5de950aec0396de9f3b52bc5/nvidia_curand-10.4.0.35-py3-none-manylinux_2_27_x86_64.whl",
			SHA256:    "1aee33a5da6e1db083fe2b90082def8915f30f3248d5896bcec36a579d941bfc",
			Size:      59544258,
			Licence:   "NVIDIA CUDA Toolkit EULA",
			Libraries: true,
			Members: []Member{
				{From: "nvidia/cu13/lib/libcurand.so.10", Size: 132698328, SHA256: "b53732a66b302b11926e00f762e2c2ba67058347ff93cf4ae709de45e93e06da"},
				{From: "nvidia_curand-10.4.0.35.dist-info/licenses/License.txt", To: "nvidia/licences/curand.txt", Size: 59262, SHA256: "ad6f5853fba0ca0d159d0f58d49ae49830c2f8c93f7a92648b9ce90adb4c6ccd"},
			},
		},
		{
			Name:      "nvidia_cudnn_cu13-9.20.0.48-py3-none-manylinux_2_27_x86_64.whl",
			URL:       "https://files.pythonhosted.org/packages/6e/5e/edb9c0ae051602c3ccaffe424256463636d639e27d7f302dde9975ef9e7a/nvidia_cudnn_cu13-9.20.0.48-py3-none-manylinux_2_27_x86_64.whl",
			SHA256:    "0c45dd8eeb50b603f07995b1b300c62ffe6a1980482b82b3bcf94a4ca9d49304",
			Size:      366173588,
			Licence:   "NVIDIA cuDNN software license agreement",
			Libraries: true,
			Members: []Member{
				{From: "nvidia/cudnn/lib/libcudnn.so.9", Size: 129240, SHA256: "b88025af76979b3f1af208790195093684fe01cb8d190528856058f988016660"},
				{From: "nvidia/cudnn/lib/libcudnn_graph.so.9", Size: 4460192, SHA256: "35c099d318433a88d292775676a51a07d2dd152c3ae799b1c21a75b40f78e456"},
				{From: "nvidia/cudnn/lib/libcudnn_ops.so.9", Size: 39855888, SHA256: "705d3dcf9b209fdbeeecd8aaec5fcd0f6f55de5661e1c1388b5a4b8fd29db7c3"},
				{From: "nvidia/cudnn/lib/libcudnn_cnn.so.9", Size: 4203904, SHA256: "e830c5cba875ebeb8ed3cfde5cc038a2703692ce714a8a4ff28666ac8e2c5732"},
				{From: "nvidia/cudnn/lib/libcudnn_adv.so.9", Size: 109169104, SHA256: "7702094a50dbea5b8244df01af8e9d3565309d3996bbc8ca96b6c7a207d2d6bd"},
				{From: "nvidia/cudnn/lib/libcudnn_heuristic.so.9", Size: 60822040, SHA256: "a41eb9baa9ccc9e2d6c9f2ca226021b54c8ee2df4abf3a91e41687847b481228"},
				{From: "nvidia/cudnn/lib/libcudnn_engines_precompiled.so.9", Size: 245391920, SHA256: "e5133109f710c215d72fdc8f1d9be187f4760f5f32e57cc8c57515ea9e91455e"},
				{From: "nvidia/cudnn/lib/libcudnn_engines_runtime_compiled.so.9", Size: 29386664, SHA256: "28db2a6f433a184e264d927b183c47ecaf72dc65ed58245a6d2380f980e29cd3"},
				{From: "nvidia_cudnn_cu13-9.20.0.48.dist-info/licenses/License.txt", To: "nvidia/licences/cudnn.txt", Size: 18174, SHA256: "49cf79bdb35734b52fe6203013b3bd759f81e998cd32aa2c65c51db9a88c61d2"},
			},
		},
	}
}
