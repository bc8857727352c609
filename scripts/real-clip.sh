#!/usr/bin/env bash
# Runs carve with OpenAI's weights, if you have them or can fetch them, and writes one
# report to send back:
#
#   scripts/real-clip.sh [VOC [FOLDER]]
#
# It needs no data set. It sets carve up, fetches the pair "clip" unless it is on this
# machine, verifies its checksums, tests it with the built-in stickers (carve models
# selftest), and runs the standing suite of clips with and without memory: J&F, presence,
# false detections, times. If the shared data is present, it also runs the DAVIS sequence
# car-shadow. With VOC, the folder that contains VOCdevkit/VOC2012 (or that folder itself),
# it runs Pascal VOC 2012 val as the published code does (--compat: 67.6 mIoU with the
# background as a class, docs/algorithm.md 13) and with carve's defaults. A - leaves VOC
# out.
#
# FOLDER is for results (default: real-clip); send FOLDER/report.md. It contains no path
# and no name of the machine. On a CPU this takes hours. If it is interrupted, the same
# command continues where it was.
#
#   LIMIT=3       only the first 3 clips, and the first 3 images of VOC
#   MODEL=NAME    another model. MODEL=demo shows that the script works: it is the
#                 built-in sticker model, not CLIP, and the report says so.
#   CARVE=PATH    an existing carve program
#
# It has been run with MODEL=demo, and not yet with OpenAI's weights.
set -euo pipefail
cd "$(dirname "$0")/.."

voc=${1:--}
folder=${2:-real-clip}
model=${MODEL:-clip}
limit=${LIMIT:-0}
carve=${CARVE:-bin/carve}
shadow=${CARVE_SHARED:-../shared}/clips/car-shadow
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
report=$folder/report.md

say() { echo "real-clip: $*" >&2; }

# indented quotes text in the report.
indented() { sed 's/^/    /'; }

if [ -z "${CARVE:-}" ]; then
	say "setting up"
	make build >&2
fi
if [ "$model" = clip ]; then
	"$carve" models pull clip
fi
if [ ! -d "$folder/clips" ]; then
	rm -rf "$folder/clips.part" # of a run that was stopped
	"$carve" clips -o "$folder/clips.part" >&2
	mv "$folder/clips.part" "$folder/clips"
fi

{
	echo "# carve with the model $model"
	echo
	if [ "$model" = demo ]; then
		echo "**This is the demo model, which knows 64 stickers and is not CLIP. The report shows that"
		echo "the script works, and nothing about CLIP.**"
		echo
	elif [ "$model" != clip ]; then
		echo "**This is not the pair that the published figures were made with.**"
		echo
	fi
	echo "\`scripts/real-clip.sh\` on $(date -u +%Y-%m-%d), $("$carve" version | head -1)"
	echo
	echo "- CPU: $(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -1), $(nproc) threads"
	if command -v nvidia-smi >/dev/null; then
		nvidia-smi --query-gpu=name --format=csv,noheader | sed 's/^/- GPU: /'
	fi
	echo
	echo "## Checksums"
	echo
	"$carve" models verify "$model" | indented
	echo
	echo "## Self-test"
	echo
} >"$report.part"
mv "$report.part" "$report"

say "self-test"
# The script continues if it fails: the other results show how much that matters.
"$carve" models selftest "$model" 2>&1 | indented >>"$report" || say "the self-test has failed: see the report"

# run TITLE FILE ROOT ARG… evaluates the data set in ROOT, writes the results to FOLDER/FILE,
# and notes figures and time.
run() {
	local title=$1 file=$folder/$2 root=$3 began=$SECONDS
	shift 3
	say "$title"
	printf '\n## %s\n\n`carve eval run -m %s %s`\n\n' "$title" "$model" "${*//"$folder/"/}" >>"$report"
	"$carve" eval run -m "$model" -o "$file" --root "$root" "$@" >"$folder/out.txt"
	indented <"$folder/out.txt" >>"$report"
	rm "$folder/out.txt"
	printf '\nIt took %d s, without samples that were done before.\n' "$((SECONDS - began))" >>"$report"
}

run "The standing suite, with memory" clips.jsonl "$folder/clips" --dataset clips --limit "$limit"
run "The standing suite, without memory" clips-off.jsonl "$folder/clips" --dataset clips --limit "$limit" --memory off

if [ -d "$shadow" ]; then
	# This one sequence, in the layout of the published DAVIS.
	davis=$folder/davis
	shadow=$(cd "$shadow" && pwd)
	mkdir -p "$davis"/{JPEGImages/480p,Annotations/480p,ImageSets/2017}
	ln -sfn "$shadow/frames" "$davis/JPEGImages/480p/car-shadow"
	ln -sfn "$shadow/masks" "$davis/Annotations/480p/car-shadow"
	echo car-shadow >"$davis/ImageSets/2017/val.txt"
	printf 'car-shadow:\n  1: car\n' >"$davis/names.yaml"
	run "DAVIS car-shadow, with memory" shadow.jsonl "$davis" --dataset davis --names "$davis/names.yaml" --preset voc
	run "DAVIS car-shadow, without memory" shadow-off.jsonl "$davis" --dataset davis --names "$davis/names.yaml" --preset voc --memory off
fi

if [ "$voc" != - ]; then
	run "Pascal VOC 2012 val, as published (67.6 mIoU with background)" voc-compat.jsonl "$voc" --dataset voc --limit "$limit" --compat
	run "Pascal VOC 2012 val, carve's defaults" voc.jsonl "$voc" --dataset voc --limit "$limit"
fi
say "done: send $report"
cat "$report"
