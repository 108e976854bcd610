#!/usr/bin/env bash
# Mutated files through every reader of the scan, a million per seed: no crash, no input over 60 seconds, none that takes more than 512 MiB, no heap over 1.5 GiB. Prints what was reached.
# What fails is printed in base64 with its seed; add it to tests/Temper.Scan.Tests/Fuzzing/found.txt.
# usage: benchmarks/scan/fuzz.sh [millions, 10 if not given] [first seed]
set -euo pipefail
cd "$(dirname "$0")/../.."
dotnet build -c Release -v q tests/Temper.Scan.Tests
for ((i = 0; i < ${1:-10}; i++)); do
    TEMPER_FUZZ=1000000 TEMPER_FUZZ_SEED=$((${2:-1} + i)) DOTNET_GCHeapHardLimit=60000000 dotnet run --no-build -c Release --project tests/Temper.Scan.Tests -- -class "*FuzzTests" -showliveoutput
done
