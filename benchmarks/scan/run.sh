#!/usr/bin/env bash
# Measures temper-scan as a whole process: three runs each, the median counts. Needs python3 only to write the corpus.
# usage: benchmarks/scan/run.sh [folder for the corpus]
set -euo pipefail
cd "$(dirname "$0")/../.."
corpus=${1:-$(mktemp -d)}
tool=$corpus/bin/temper-scan
dotnet publish -c Release -r linux-x64 -p:Aot=true src/Temper.ScanTool -o "$corpus/bin" -v q
mkdir -p "$corpus/empty" "$corpus/small"
python3 - "$corpus" <<'P'
import os, pickle, random, sys
from collections import OrderedDict
root = sys.argv[1]
pickle.dump({i: [i, i * 2, str(i % 1000), (i % 7, i % 11)] for i in range(700000)}, open(f"{root}/heavy.pkl", "wb"), 2)
pickle.dump(os.urandom(64 << 20), open(f"{root}/blob.pkl", "wb"), 4)
for i in range(2000):
    with open(f"{root}/small/{i}.pkl", "wb") as f:
        pickle.dump({"name": f"m{i}", "w": OrderedDict((str(j), [j] * 5) for j in range(12))}, f, 4)
P
for what in empty small heavy.pkl blob.pkl; do
  for run in 1 2 3; do
    start=$(date +%s%N)
    "$tool" --jobs 1 "$corpus/$what" > /dev/null || true
    echo "$what $(( ($(date +%s%N) - start) / 1000000 )) ms"
  done
done
