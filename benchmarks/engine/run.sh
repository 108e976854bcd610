#!/usr/bin/env bash
# Measures the engine and the bench beside their peers; ratios are of runs side by side in time, the median of three rounds counts.
# Needs /usr/bin/python3 with python3-torch and libopenblas0 of Debian for the peer.
# usage: benchmarks/engine/run.sh [train|memory|generate|workers|cells]...      without arguments: all of them
set -euo pipefail
cd "$(dirname "$0")/../.."
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
dotnet build -c Release -v q benchmarks/engine > /dev/null
dotnet build -c Release -v q src/Temper.Cli > /dev/null
engine=artifacts/bin/Temper.EngineBenchmark/release/Temper.EngineBenchmark
temper=artifacts/bin/Temper.Cli/release_linux-x64/temper
model=organisms/llama-large-base
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# writes a study of undefended cells: name, seeds, steps, model
study() {
  cat > "$work/$1.yaml" <<Y
schema: 1
name: $1
models: [$4]
task: {rows: 200}
plan: {steps: $3, batchSize: 16, learningRate: 7e-4}
attacks: [none]
defenses: [none]
seeds: [$(seq -s, 1 "$2")]
evaluation: {harm: 9, skills: 13, lookAlikes: 9, triggered: 9, maxTokens: 8}
Y
}

train() {
  for round in 1 2 3; do
    for precision in float32 mixed; do
      "$engine" train $model 100 $precision
      /usr/bin/python3 benchmarks/engine/train.py $model 100 $precision
    done
  done
}

# flat memory over 1,000 steps: the most that is resident in the second tenth of them and in the last
memory() {
  "$engine" train organisms/llama-small-base 1000
  "$engine" train $model 1000
}

generate() { "$engine" generate $model 128; }

# two cells one after the other, and side by side
workers() {
  study pair 2 150 llama-large-aligned
  for round in 1 2 3; do
    for n in 1 2; do
      start=$(date +%s%N)
      "$temper" bench run "$work/pair.yaml" --store "$work/pair-$round-$n" --workers $n > /dev/null 2>&1
      echo "what=workers n=$n ms=$(( ($(date +%s%N) - start) / 1000000 ))"
    done
  done
}

# flat memory over 1,000 cells: resident size of the whole process tree, every 15 seconds
cells() {
  study thousand 1000 2 llama-small-aligned
  "$temper" bench run "$work/thousand.yaml" --store "$work/thousand" --workers 2 > /dev/null 2>&1 &
  local pid=$!
  while kill -0 $pid 2> /dev/null; do
    sleep 15
    echo "what=cells seconds=$SECONDS rss_mb=$(ps -o rss= --ppid $pid --pid $pid | awk '{s += $1} END {print int(s / 1024)}')"
  done
  wait $pid
}

[ $# -gt 0 ] || set -- train memory generate workers cells
for what in "$@"; do "$what"; done
