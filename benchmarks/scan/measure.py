"""Times each program on each file, all in turn, so that a slow moment of the machine meets them all."""
import os, shutil, statistics, subprocess, sys, time

root, rounds = sys.argv[1], 5
scan = [f"{root}/bin/temper-scan", "--jobs", "1"]
genops = [sys.executable, "-c", "import pickletools,sys\nfor o in pickletools.genops(open(sys.argv[1],'rb').read()): pass"]
load = [sys.executable, "-c", "import pickle,sys; pickle.load(open(sys.argv[1],'rb'))"]  # our own benign files
peers = {"picklescan": ["picklescan", "-p"], "modelscan": ["modelscan", "-p"], "fickling": ["fickling", "--check-safety"]}
programs = {"temper-scan": (scan, None), "pickletools.genops": (genops, ["opcodes.pkl"]), "pickle.load": (load, ["opcodes.pkl", "blob.pkl"])}
programs |= {name: (command, ["small", "opcodes.pkl", "blob.pkl"]) for name, command in peers.items() if shutil.which(command[0])}
files = ["empty", "small", "opcodes.pkl", "blob.pkl", "model.safetensors", "shards"]

times = {}
for _ in range(rounds):
    for file in files:
        for name, (command, only) in programs.items():
            if only is None or file in only:
                start = time.perf_counter()
                child = subprocess.Popen(command + [f"{root}/{file}"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                _, _, used = os.wait4(child.pid, 0)
                times.setdefault((file, name), []).append((time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024))

print(f"load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; not installed: {', '.join(p for p in peers if p not in programs) or 'none'}\n")
print("| what | program | wall, s | processor, s | memory, MiB |\n|---|---|---|---|---|")
for (file, name), runs in times.items():
    wall, cpu, memory = (statistics.median(values) for values in zip(*runs))
    print(f"| {file} | {name} | {wall:.3f} | {cpu:.3f} | {memory:.0f} |")
