#!/usr/bin/env bash
# Runs carve with OpenAI's weights, for whoever has them or can fetch them, and
# writes one report to send back:
#
#   scripts/real-clip.sh [VOC [FOLDER]]
#
# It needs no data set. It sets carve up, fetches the pair "clip" unless it is here,
# checks its checksums, shows it the built-in stickers (carve models selftest), and
# runs the standing suite of clips with memory and without: J&F, presence, false
# finds, times. If the shared data is there, the DAVIS sequence car-shadow follows.
# With VOC, the folder that holds VOCdevkit/VOC2012 (or that folder itself), Pascal
# VOC 2012 val follows as the published code does it (--compat: 67.6 mIoU with the
# background as a class, docs/algorithm.md 13) and as carve does by itself.
# A - leaves it out.
#
# FOLDER is where results go (default: real-clip); FOLDER/report.md is what to send.
# No path and no name of the machine is in it. On a CPU this takes hours: whatever
# stops it, the same command goes on where it was.
#
#   LIMIT=3       only the first 3 clips, and the first 3 pictures of VOC
#   MODEL=NAME    another model. MODEL=demo shows that the script works: that is the
#                 built-in sticker model, it is not CLIP, and the report says so.
#   CARVE=PATH    a carve that is built already
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
# One that fails is what somebody wants to know; the rest says how much it matters.
"$carve" models selftest "$model" 2>&1 | indented >>"$report" || say "the self-test has failed: see the report"

# run TITLE FILE ROOT ARG… evaluates the data set in ROOT into FOLDER/FILE and notes
# figures and time.
run() {
	local title=$1 file=$folder/$2 root=$3 began=$SECONDS
	shift 3
	say "$title"
	printf '\n## %s\n\n`carve eval run -m %s %s`\n\n' "$title" "$model" "${*//"$folder/"/}" >>"$report"
	"$carve" eval run -m "$model" -o "$file" --root "$root" "$@" >"$folder/out.txt"
	indented <"$folder/out.txt" >>"$report"
	rm "$folder/out.txt"
	printf '\nIt took %d s, what had been done before left out.\n' "$((SECONDS - began))" >>"$report"
}

run "The standing suite, with memory" clips.jsonl "$folder/clips" --dataset clips --limit "$limit"
run "The standing suite, every frame by itself" clips-off.jsonl "$folder/clips" --dataset clips --limit "$limit" --memory off

if [ -d "$shadow" ]; then
	# DAVIS as its publisher packs it, of this one sequence.
	davis=$folder/davis
	shadow=$(cd "$shadow" && pwd)
	mkdir -p "$davis"/{JPEGImages/480p,Annotations/480p,ImageSets/2017}
	ln -sfn "$shadow/frames" "$davis/JPEGImages/480p/car-shadow"
	ln -sfn "$shadow/masks" "$davis/Annotations/480p/car-shadow"
	echo car-shadow >"$davis/ImageSets/2017/val.txt"
	printf 'car-shadow:\n  1: car\n' >"$davis/names.yaml"
	run "DAVIS car-shadow, with memory" shadow.jsonl "$davis" --dataset davis --names "$davis/names.yaml" --preset voc
	run "DAVIS car-shadow, every frame by itself" shadow-off.jsonl "$davis" --dataset davis --names "$davis/names.yaml" --preset voc --memory off
fi

if [ "$voc" != - ]; then
	run "Pascal VOC 2012 val, as published (67.6 mIoU with background)" voc-compat.jsonl "$voc" --dataset voc --limit "$limit" --compat
	run "Pascal VOC 2012 val, carve by itself" voc.jsonl "$voc" --dataset voc --limit "$limit"
fi
say "done: send $report"
cat "$report"
