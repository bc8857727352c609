#!/usr/bin/env bash
# Checks carve on a GPU, in one command:
#
#   scripts/gpu-check.sh [DEVICE] [FOLDER]
#
# DEVICE is a value of --device (default: cuda). FOLDER is for results and for models of
# random weights (default: gpu-check, some 8 GB). The script sets carve up, fetches ONNX
# Runtime's GPU build (1.2 GB), runs the golden tests on the device, measures trunk, CAM
# head and judge at the published sizes there and on the CPU, in fp32 and fp16, and runs
# the program on its demo clip. The figures are in FOLDER/report.md, to be pasted into
# docs/performance.md.
#
# It has been run with DEVICE cpu. On a GPU its tests and measurements have been run one by
# one (docs/performance.md), but not the script as a whole. The GPU build stays in carve's
# cache, and carve uses it from then on.
set -euo pipefail
cd "$(dirname "$0")/.."

device=${1:-cuda}
folder=${2:-gpu-check}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
report=$folder/report.md

say() { echo "gpu-check: $*" >&2; }

say "setting up"
env -u CARVE_ONNXRUNTIME make build >&2
case $device in
cuda* | tensorrt*)
	say "fetching ONNX Runtime's GPU build, unless it is here"
	# Tests use other caches, but must find this library.
	CARVE_ONNXRUNTIME=$(env -u CARVE_ONNXRUNTIME bin/carve runtime pull cuda)
	export CARVE_ONNXRUNTIME
	;;
esac

{
	echo "# carve on $device"
	echo
	echo "\`scripts/gpu-check.sh $device\` on $(date -u +%Y-%m-%d), $(bin/carve version | head -1)"
	echo
	echo "- CPU: $(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -1), $(nproc) threads"
	if command -v nvidia-smi >/dev/null; then
		nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader | sed 's/^/- GPU: /'
	fi
	bin/carve runtime list | sed -n 's/^in use: /- ONNX Runtime: /p'
} >"$report"

section() {
	printf '\n## %s\n\n' "$1" >>"$report"
}

# check NAME LOG COMMAND…: runs the command and notes the result. The script continues
# after a failure, so that later checks are run as well.
failed=0
check() {
	local name=$1 log=$2
	shift 2
	say "$name"
	if "$@" >"$folder/$log" 2>&1; then
		echo "- $name: passed" >>"$report"
	else
		echo "- $name: **failed**, see $log" >>"$report"
		failed=1
	fi
}

section "Correctness"
golden='Golden|TestBuiltGraphs|TestPrecisions|TestBatches|TestGradient|TestAgreement'
check "golden and precision tests on $device" tests.log \
	env CARVE_TEST_DEVICE="$device" CARVE_AGREEMENT=1 \
	scripts/env.sh go test -count=1 -timeout 30m -v -run "$golden" ./models
sed -n 's/^ *agreement_test.go:[0-9]*: /- agreement: /p' "$folder/tests.log" >>"$report"

run() { # DEVICE PRECISION
	bin/carve -i internal/democlip/clip.mp4 -m demo -q dog -q balloon -q pizza \
		--device "$1" --precision "$2" --progress json -y -o "$folder/demo-$1-$2.mp4"
}
for p in fp32 fp16; do
	check "the demo clip on $device, $p" "demo-$p.log" run "$device" $p
done
check "the demo clip on cpu, fp32" demo-cpu.log run cpu fp32
summaries=("$folder"/demo-*.log)
section "The program on its demo clip"
echo '```' >>"$report"
for s in "${summaries[@]}"; do
	echo "$(basename "$s" .log): $(grep -o '"message_type":"summary".*' "$s" | tail -1 | grep -o '"frames":[0-9]*\|"elapsed_s":[0-9.]*' | head -2 | tr '\n' ' ')" >>"$report"
done
echo '```' >>"$report"

section "Speed"
bench() { # DEVICE PRECISION
	CARVE_BENCH=$folder CARVE_TEST_DEVICE=$1 CARVE_BENCH_PRECISION=$2 scripts/env.sh go test -timeout 60m \
		-run '^$' -bench '^Benchmark(Trunk|CAM|Judge)$/^(B16|L14)$' -benchtime 3x ./models
}
for p in fp32 fp16; do
	check "speed on $device, $p" "bench-$device-$p.log" bench "$device" $p
done
if [ "$device" != cpu ]; then
	check "speed on cpu, fp32" bench-cpu-fp32.log bench cpu fp32
fi
for b in "$folder"/bench-*.log; do
	printf '\n%s\n\n```\n' "$(basename "$b" .log)" >>"$report"
	grep '^Benchmark' "$b" >>"$report" || true
	echo '```' >>"$report"
done

cat "$report"
exit $failed
