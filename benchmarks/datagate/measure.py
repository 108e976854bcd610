"""Generates short rows (seeded) of growing size and scans them with temper-scan, one job: rows/s, MB/s, processor time and the largest resident memory of each, with everything and with the rules for single rows alone."""
import json, os, random, resource, subprocess, sys, time

work, largest = sys.argv[1], float(sys.argv[2])
random.seed(1)
words = ["".join(random.choice("bcdfghklmnprstvz") + random.choice("aeiou") for _ in range(random.randint(1, 4))) for _ in range(5000)]


def text(n):
    return " ".join(random.choices(words, k=n))


block = [json.dumps({"instruction": text(random.randint(6, 16)), "input": "", "output": text(random.randint(4, 20))}) for _ in range(100_000)]
size, done = 10 << 20, []
while size <= largest * (1 << 30):
    done.append(size)
    size *= 10
done = done or [10 << 20]
if done[-1] < largest * (1 << 30):
    done.append(int(largest * (1 << 30)))

print("| file | rows | pass | wall | processor | rows/s | MB/s | memory |\n|---|---|---|---|---|---|---|---|")
for size in done:
    path = os.path.join(work, "rows.jsonl")
    rows = written = 0
    with open(path, "w") as f:
        while written < size:
            # A number in every row keeps it from being a copy of one of an earlier round.
            line = block[rows % len(block)].replace('"output": "', f'"output": "{rows} ') + "\n"
            f.write(line)
            written += len(line)
            rows += 1
    for rules in ([], ["--rules-only"]):
        start = time.monotonic()
        child = subprocess.Popen([os.path.join(work, "bin", "temper-scan"), path, "--jobs", "1", *rules], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
        wall, cpu = time.monotonic() - start, usage.ru_utime + usage.ru_stime
        print(f"| {written / 1e6:.0f} MB | {rows} | {'rules alone' if rules else 'everything'} | {wall:.1f} s | {cpu:.1f} s | {rows / cpu:,.0f} | {written / 1e6 / cpu:.1f} | {usage.ru_maxrss / 1024:.0f} MiB |", flush=True)
    os.remove(path)
