#!/usr/bin/env bash
# Measures temper-scan as a whole process, one job, beside CPython's own readers and every other scanner that is on the PATH (picklescan, modelscan, fickling):
# five rounds, each of all programs in turn, medians of wall and processor time. Needs python3.
# usage: benchmarks/scan/run.sh [folder for the corpus, 1.4 GiB, kept if given]
set -euo pipefail
cd "$(dirname "$0")/../.."
corpus=${1:-$(mktemp -d)}
[ $# -gt 0 ] || trap 'rm -rf "$corpus"' EXIT
dotnet publish -c Release -r linux-x64 -p:Aot=true src/Temper.ScanTool -o "$corpus/bin" -v q
python3 benchmarks/scan/corpus.py "$corpus"
python3 benchmarks/scan/measure.py "$corpus"
