"""Measures `fedlora convert` beside `cp` of the same files to the same disk: time, memory, and what was read from the disk.

usage: convert.py SOURCE TARGET [--dtype f32|f16|bf16] [--jobs N] [--turns N] [--keep]
SOURCE is a checkpoint's folder, TARGET a new name on the disk that is measured; --keep leaves the last result there.

Both begin alike: the source's pages are taken out of the page cache, all that waits to be written is written. Both end when
what they wrote is on the disk: convert syncs its files itself, those of cp are synced here, in its time. How much of the source
each process had read from the disk is printed, so it shows if the cache helped one of them. Memory is sampled every 10 ms;
anonymous memory (RssAnon) is what a process allocated, pages of mapped files are no part of it.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SAMPLE_SECONDS = 0.01
BLOCK = 512  # the unit of ru_inblock


def files(folder):
    return [path for path in sorted(folder.rglob("*")) if path.is_file()]


def size(folder):
    return sum(path.stat().st_size for path in files(folder))


def settle(source):
    """Nothing waits to be written, and the source is on the disk alone."""
    os.sync()
    for path in files(source):
        with open(path, "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def sync(folder):
    for path in files(folder):
        with open(path, "rb") as file:
            os.fsync(file.fileno())


def status(pid):
    """Memory of a process in bytes, by name; empty when it has ended."""
    try:
        with open(f"/proc/{pid}/status") as lines:
            fields = (line.split() for line in lines if line.startswith(("RssAnon:", "VmHWM:")))
            return {name[:-1]: 1024 * int(value) for name, value, _ in fields}
    except OSError:
        return {}


def run(name, command, source, target, synced_here):
    settle(source)
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    peaks = {"RssAnon": 0, "VmHWM": 0}
    ended = 0
    while not ended:
        time.sleep(SAMPLE_SECONDS)
        found = status(process.pid)
        peaks = {field: max(peak, found.get(field, 0)) for field, peak in peaks.items()}
        ended, code, usage = os.wait4(process.pid, os.WNOHANG)
    if code != 0:
        sys.exit(f"failed: {' '.join(command)}")
    if synced_here:
        sync(target)
    seconds = time.perf_counter() - began
    return {
        "subject": name,
        "seconds": seconds,
        "sourceBytes": size(source),
        "bytesPerSecond": size(source) / seconds,
        "readFromDiskBytes": usage.ru_inblock * BLOCK,
        "peakAnonymousBytes": peaks["RssAnon"],
        "peakResidentBytes": peaks["VmHWM"],
        "cpuSeconds": usage.ru_utime + usage.ru_stime,
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("SOURCE", type=Path)
    parser.add_argument("TARGET", type=Path)
    parser.add_argument("--dtype", choices=["f32", "f16", "bf16"])
    parser.add_argument("--jobs", type=int)
    parser.add_argument("--turns", type=int, default=2)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    source, target = options.SOURCE, options.TARGET
    if not source.is_dir():
        sys.exit(f"{source}: no such folder; wanted a checkpoint's")
    if target.exists():
        sys.exit(f"{target}: exists; wanted a new name")
    target.absolute().parent.mkdir(parents=True, exist_ok=True)
    wanted = size(source) * (2 if options.dtype == "f32" else 1)
    free = shutil.disk_usage(target.absolute().parent).free
    if free < wanted:
        sys.exit(f"{target}: {free / 1e9:.1f} GB are free on its disk; wanted {wanted / 1e9:.1f} GB")

    fedlora = str(ROOT / "fedlora")
    subprocess.run([fedlora, "--version"], check=True, stdout=subprocess.DEVNULL)  # builds what is missing
    chosen = [f"--{name}={value}" for name, value in (("dtype", options.dtype), ("jobs", options.jobs)) if value]
    subjects = {
        # Copies that share blocks with their source would take no time.
        "cp": (["cp", "-r", "--reflink=never", str(source), str(target)], True),
        "convert": ([fedlora, "convert", str(source), str(target), *chosen], False),
    }
    measured = []
    for _ in range(options.turns):
        for name, (command, synced_here) in subjects.items():
            shutil.rmtree(target, ignore_errors=True)
            found = run(name, command, source, target, synced_here)
            measured.append(found)
            print(json.dumps(found), flush=True)
    if not options.keep:
        shutil.rmtree(target)

    def median(name, field):
        return statistics.median(found[field] for found in measured if found["subject"] == name)

    for name in subjects:
        print(
            f"{name}: {median(name, 'seconds'):.1f} s, {median(name, 'bytesPerSecond') / 1e6:,.0f} MB/s, "
            f"{100 * median(name, 'readFromDiskBytes') / size(source):.0f} % of the source read from the disk, "
            f"{median(name, 'cpuSeconds'):.1f} s of processors"
        )
    print(
        f"convert at {100 * median('cp', 'seconds') / median('convert', 'seconds'):.0f} % of cp's speed; most anonymous memory "
        f"{max(found['peakAnonymousBytes'] for found in measured) / 1e6:,.0f} MB"
    )


main()
