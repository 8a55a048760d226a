"""The machine, in words, and where on it what is measured runs."""
import os
import platform
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "release"
SERVER_CPU, LOAD_CPU = 0, 1


def pinned(cpu):
    """what goes before a command so that it runs on this CPU only; with one CPU nothing is pinned"""
    return ["taskset", "-c", str(cpu)] if len(os.sched_getaffinity(0)) > 1 and shutil.which("taskset") else []


def line(command):
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0].strip()
    except (OSError, subprocess.CalledProcessError, IndexError):
        return "unknown"


def field(path, name):
    for text in Path(path).read_text().splitlines():
        if text.startswith(name):
            return text.split(":", 1)[1].strip()
    return "unknown"


def describe():
    """one paragraph; the load says how calm it was"""
    memory = int(field("/proc/meminfo", "MemTotal").split()[0]) / 2**20
    governor = Path("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor")
    return (f"{len(os.sched_getaffinity(0))} CPUs ({field('/proc/cpuinfo', 'model name')}"
            f"{', governor ' + governor.read_text().strip() if governor.exists() else ''}), {memory:.0f} GiB, "
            f"Linux {platform.release()}, {line(['gcc', '--version'])}, Parley {line(['git', '-C', str(ROOT), 'describe', '--always', '--dirty'])}. "
            f"Server on CPU {SERVER_CPU}, load on CPU {LOAD_CPU}. "
            f"Load average at the end: {' '.join(f'{x:.1f}' for x in os.getloadavg())}.")


def pss_bytes(pids):
    """proportional set size of these processes"""
    return sum(int(field(f"/proc/{pid}/smaps_rollup", "Pss:").split()[0]) * 1024 for pid in pids)


def cpu_seconds(pids):
    """CPU time of all threads of these processes so far"""
    total = 0
    for pid in pids:
        for task in Path(f"/proc/{pid}/task").iterdir():
            total += int((task / "schedstat").read_text().split()[0])
    return total / 1e9


def tcp_bytes():
    """memory that the kernel's TCP holds, of the whole machine"""
    for text in Path("/proc/net/sockstat").read_text().splitlines():
        if text.startswith("TCP:"):
            return int(text.split()[-1]) * os.sysconf("SC_PAGESIZE")
    return 0
