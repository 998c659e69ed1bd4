"""A real Spark cluster on this machine: a standalone master and workers from the pip package, ended by their process ids."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import sysconfig
import tarfile
import time
import zipfile
from pathlib import Path
from types import TracebackType

import psutil
import pyspark

from core.ports import free_ports
from datapipe.config import SparkConfig
from datapipe.launch import environment

ROOT = Path(__file__).resolve().parents[1]
SPARK_CLASS = Path(pyspark.__file__).parent / "bin" / "spark-class"
EXECUTOR = "CoarseGrainedExecutorBackend"


class Cluster:
    """`with Cluster(folder) as cluster:` starts a master and two workers of one core each; `cluster.master` is their URL.

    The workers know nothing of this project: what executors need must be sent to them.
    """

    def __init__(self, folder: Path, workers: int = 2, memory: str = "1g") -> None:
        self.folder, self.workers, self.memory = folder, workers, memory
        self.master = f"spark://127.0.0.1:{free_ports(1)[0]}"
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Cluster:
        self.folder.mkdir(parents=True, exist_ok=True)
        port = self.master.rpartition(":")[2]
        self._start("master.Master", "--host", "127.0.0.1", "--port", port, "--webui-port", "0")
        deadline = time.monotonic() + 60
        while not answers(int(port)):
            if time.monotonic() > deadline:
                raise RuntimeError(f"the master did not answer within a minute; see {self.folder}/master.Master-0.log")
            time.sleep(0.2)
        for number in range(self.workers):
            place = str(self.folder / f"worker{number}")
            own = ("--host", "127.0.0.1", "--cores", "1", "--memory", self.memory, "--webui-port", "0", "--work-dir", place)
            self._start("worker.Worker", *own, self.master)
        return self

    def executors(self) -> list[psutil.Process]:
        """The JVMs of the executors that run now."""
        below = [child for process in self._started for child in _children(process.pid)]
        return [process for process in below if any(EXECUTOR in part for part in _words(process))]

    def kill_executor(self, number: int) -> None:
        """Kills an executor's Python workers and its JVM, without a word to anybody."""
        victim = self.executors()[number]
        for process in [*_children(victim.pid), victim]:
            _kill(process)

    def _start(self, name: str, *arguments: str) -> None:
        env = environment(SparkConfig())
        env.pop("PYTHONPATH")
        command = [str(SPARK_CLASS), f"org.apache.spark.deploy.{name}", *arguments]
        with open(self.folder / f"{name}-{len(self._started)}.log", "wb") as log:
            self._started.append(subprocess.Popen(command, env=env, cwd=self.folder, stdout=log, stderr=log))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for process in reversed(self._started):
            for child in [*_children(process.pid), psutil.Process(process.pid)]:
                _kill(child)
            process.wait()


def _children(pid: int) -> list[psutil.Process]:
    try:
        return list(psutil.Process(pid).children(recursive=True))
    except psutil.NoSuchProcess:
        return []


def _words(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except psutil.NoSuchProcess:
        return []


def _kill(process: psutil.Process) -> None:
    try:
        process.kill()
    except psutil.NoSuchProcess:
        return


def answers(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(1)
        return client.connect_ex(("127.0.0.1", port)) == 0


def write_project(path: Path) -> Path:
    """The project's own packages as an archive for `spark.python_files`, as `git archive` makes it."""
    with zipfile.ZipFile(path, "w") as archive:
        for package in ("core", "datapipe", "tokenizer"):
            for file in sorted((ROOT / package).rglob("*")):
                if file.suffix in (".py", ".json", ".yaml"):  # the code, and the weights and word lists beside it
                    archive.write(file, file.relative_to(ROOT))
    return path


def write_environment(folder: Path) -> Path:
    """An archive for `spark.environment`, in the form that venv-pack gives: a Python that has the libraries of this one,
    but not this project."""
    home = folder / "environment"
    site = home / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
    site.mkdir(parents=True)
    (site / "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    (home / "bin").mkdir()
    base = Path(os.path.realpath(sys.executable))
    (home / "bin" / "python").symlink_to(base)
    (home / "pyvenv.cfg").write_text(f"home = {base.parent}\ninclude-system-site-packages = false\n")
    archive = folder / "environment.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        for entry in sorted(home.iterdir()):
            packed.add(entry, entry.name)
    return archive
