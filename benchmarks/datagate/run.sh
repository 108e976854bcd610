#!/usr/bin/env bash
# Makes the tables of docs/data-scan.md again from the real sets ($TEMPER_DATA, or ../shared/data), then times the scan on generated rows: rows and bytes per second of one core, and memory.
# usage: benchmarks/datagate/run.sh [GiB to generate, 1 if not given]
set -euo pipefail
cd "$(dirname "$0")/../.."
dotnet build -c Release -v q tests/Temper.Scan.Tests
TEMPER_APPROVE=1 dotnet run --no-build -c Release --project tests/Temper.Scan.Tests -- -class "*DataTableTests" -showliveoutput
git diff --stat -- docs/data-scan.md

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dotnet publish -c Release -r linux-x64 -p:Aot=true src/Temper.ScanTool -o "$work/bin" -v q
python3 benchmarks/datagate/measure.py "$work" "${1:-1}"
