#!/usr/bin/env bash
# Runs carve with OpenAI's weights on real data and holds it against published
# figures, in one command for whoever has them:
#
#   scripts/real-clip.sh VOC [FOLDER]
#
# VOC is the folder that holds VOCdevkit/VOC2012 (or that folder itself); a - leaves
# it out. FOLDER is where results go (default: real-clip). It sets carve up, fetches
# the pair "clip" unless it is here and checks its checksums, runs Pascal VOC 2012
# val as the published code does (--compat: 67.6 mIoU with the background as a
# class, car.md 13) and as carve does by itself, and the DAVIS sequence car-shadow
# of the shared data, with and without memory. Figures and times are in
# FOLDER/report.md. VOC takes hours on a CPU: whatever stops it, the same command
# goes on where it was. LIMIT=100 takes the first 100 pictures only.
#
# It has been run with MODEL=demo, which shows that the script works, and not yet
# with OpenAI's weights.
set -euo pipefail
cd "$(dirname "$0")/.."

voc=${1:?"usage: scripts/real-clip.sh VOC|- [FOLDER]"}
folder=${2:-real-clip}
model=${MODEL:-clip}
limit=${LIMIT:-0}
shadow=${CARVE_SHARED:-../shared}/clips/car-shadow
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
report=$folder/report.md

say() { echo "real-clip: $*" >&2; }

say "setting up"
make build >&2
if [ "$model" = clip ]; then
	bin/carve models pull clip
fi

{
	echo "# carve with $model on real data"
	echo
	echo "\`scripts/real-clip.sh\` on $(date -u +%Y-%m-%d), $(bin/carve version | head -1)"
	echo
	echo "- CPU: $(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -1), $(nproc) threads"
	echo
	echo "## Checksums"
	echo
	bin/carve models verify | sed 's/^/    /'
} >"$report"

# run TITLE FILE ARG… evaluates a data set into FOLDER/FILE and notes the figures.
run() {
	local title=$1 file=$folder/$2
	shift 2
	say "$title"
	printf '\n## %s\n\n`carve eval run %s`\n\n' "$title" "$*" >>"$report"
	bin/carve eval run -m "$model" -o "$file" "$@" | sed 's/^/    /' >>"$report"
}

if [ "$voc" != - ]; then
	run "Pascal VOC 2012 val, as published (67.6 mIoU with background)" voc-compat.jsonl --dataset voc --root "$voc" --limit "$limit" --compat
	run "Pascal VOC 2012 val, carve by itself" voc.jsonl --dataset voc --root "$voc" --limit "$limit"
fi

if [ -d "$shadow" ]; then
	# DAVIS as its publisher packs it, of this one sequence.
	davis=$folder/davis
	shadow=$(cd "$shadow" && pwd)
	mkdir -p "$davis"/{JPEGImages/480p,Annotations/480p,ImageSets/2017}
	ln -sfn "$shadow/frames" "$davis/JPEGImages/480p/car-shadow"
	ln -sfn "$shadow/masks" "$davis/Annotations/480p/car-shadow"
	echo car-shadow >"$davis/ImageSets/2017/val.txt"
	printf 'car-shadow:\n  1: car\n' >"$davis/names.yaml"
	run "DAVIS car-shadow, with memory" shadow.jsonl --dataset davis --root "$davis" --names "$davis/names.yaml" --preset voc
	run "DAVIS car-shadow, every frame by itself" shadow-off.jsonl --dataset davis --root "$davis" --names "$davis/names.yaml" --preset voc --memory off
fi
say "done: $report"
cat "$report"
