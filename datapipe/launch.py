"""How Spark is started: the properties that the config means, and the spark-submit command that carries them.

What a program sets after its JVM has started is ignored without a word (the driver's memory above all), so the
properties are rendered from the YAML before. Needs neither Spark nor Java to import.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from core.config import ConfigError
from datapipe.config import SparkConfig

_ROOT = Path(__file__).resolve().parent.parent
_LOGGING = _ROOT / "configs" / "log4j2.properties"


def properties(config: SparkConfig) -> dict[str, str]:
    """Spark's properties, from the config."""
    local = config.master.startswith("local")
    made = {
        "spark.master": config.master,
        "spark.driver.memory": config.driver_memory,
        "spark.executor.memory": config.executor_memory,
        "spark.sql.shuffle.partitions": str(config.partitions),
        "spark.sql.adaptive.enabled": str(config.adaptive).lower(),
        "spark.sql.parquet.compression.codec": "zstd",
        "spark.sql.session.timeZone": "UTC",
        "spark.ui.enabled": "false" if local else "true",
        "spark.ui.showConsoleProgress": "false",
        "spark.python.worker.reuse": "true",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "10000",
    }
    if local:  # a laptop's host name often resolves to an address that nothing listens on
        made.update({"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"})
    if _LOGGING.exists():
        made["spark.driver.extraJavaOptions"] = f"-Dlog4j2.configurationFile={_LOGGING.as_uri()}"
    if config.python_files:
        made["spark.submit.pyFiles"] = config.python_files
    if config.environment:
        made["spark.archives"] = f"{config.environment}#environment"
        made["spark.pyspark.python"] = "./environment/bin/python"
        made["spark.pyspark.driver.python"] = sys.executable  # the driver runs where this does
    return {**made, **config.conf}


def submit(job: str, config: SparkConfig, arguments: Sequence[str]) -> int:
    """Runs `spark-submit jobs/JOB.py ARGUMENTS` as a user would and returns its exit status."""
    with tempfile.NamedTemporaryFile("w", suffix=".properties", delete=False) as handle:
        for key, value in properties(config).items():
            handle.write(f"{key} {value}\n")
    try:
        command = [spark_submit(), "--properties-file", handle.name, str(_ROOT / "jobs" / f"{job}.py"), *arguments]
        return subprocess.run(command, env=environment(config), check=False).returncode
    finally:
        os.unlink(handle.name)


def environment(config: SparkConfig) -> dict[str, str]:
    """The environment of a submit: this Python for the workers, a Java that Spark accepts."""
    env = dict(os.environ)
    env["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{env.get('PATH', '')}"
    env.setdefault("PYSPARK_PYTHON", sys.executable)
    env.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    env["JAVA_HOME"] = java_home()
    if config.master.startswith("local"):
        env.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    env["PYTHONPATH"] = os.pathsep.join(filter(None, [str(_ROOT), env.get("PYTHONPATH", "")]))
    return env


def spark_submit() -> str:
    """The spark-submit of this Python's environment, else the one on PATH."""
    beside = Path(sys.executable).parent / "spark-submit"
    found = str(beside) if beside.exists() else shutil.which("spark-submit")
    if found is None:
        raise ConfigError("spark-submit: not found beside Python nor on PATH; run `make setup`.")
    return found


def java_home() -> str:
    """A Java home of version 17 or later: JAVA_HOME, the one on PATH, else the one that `make setup` provided."""
    candidates = [os.environ.get("JAVA_HOME", "")]
    on_path = shutil.which("java")
    if on_path:
        candidates.append(str(Path(on_path).resolve().parent.parent))
    candidates.append(str(Path(sys.prefix) / "java"))
    for home in candidates:
        if home and _java_version(Path(home) / "bin" / "java") >= 17:
            return home
    raise ConfigError("Java 17 or later: not found in JAVA_HOME, on PATH or in the environment; run `make setup`.")


def _java_version(java: Path) -> int:
    try:
        text = subprocess.run([str(java), "-version"], capture_output=True, text=True, check=True).stderr
    except (OSError, subprocess.CalledProcessError):
        return 0
    match = re.search(r'version "(\d+)', text)
    return int(match.group(1)) if match else 0
