"""Whether Spark is here, and a session of it. pyspark is an extra: requirements-scale.txt."""

from __future__ import annotations

import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from recommender.settings import ROOT

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def missing() -> str | None:
    """What keeps Spark from running here, with the way to mend it; None where nothing does."""
    try:
        import pyspark  # noqa: F401
    except ImportError:
        return "pyspark is not installed: pip install -r requirements-scale.txt"
    home = os.environ.get("JAVA_HOME")
    if not (shutil.which("java") or (home and Path(home, "bin", "java").exists())):
        return "Java is not installed, wanted 17 or newer (Debian: apt-get install openjdk-17-jre-headless)"
    return None


def at_once(spark: SparkSession, rows: int) -> None:
    """So many rows of a table are read, and go to a Python worker, at a time: few where the lists in them are long, as the heap must hold them."""
    for option in ("spark.sql.execution.arrow.maxRecordsPerBatch", "spark.sql.parquet.columnarReaderBatchSize"):
        spark.conf.set(option, rows)


@contextmanager
def session(master: str = "local[2]", memory: str = "2g", partitions: int = 8, scratch: Path | None = None) -> Iterator[SparkSession]:
    """A session of Spark that ends with the block; RuntimeError where there is no Spark.

    memory is the heap of each JVM, partitions the number of parts after a shuffle, scratch where shuffles are spilled (a temporary folder if None).
    A local session listens on the loopback address only. Python workers use one thread each: Spark runs one on every core.
    """
    if wrong := missing():
        raise RuntimeError(wrong)
    from pyspark.sql import SparkSession

    warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    with TemporaryDirectory(prefix="spark-", dir=scratch) as spilled:
        options = {
            "spark.driver.memory": memory,
            "spark.executor.memory": memory,
            "spark.driver.maxResultSize": "0",
            "spark.local.dir": spilled,
            "spark.sql.warehouse.dir": spilled,
            "spark.sql.shuffle.partitions": partitions,
            "spark.sql.session.timeZone": "UTC",
            "spark.executorEnv.PYTHONPATH": ROOT,
            "spark.executorEnv.OMP_NUM_THREADS": 1,
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.log.level": "ERROR",
        }
        if master.startswith("local"):
            options |= {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
        builder = SparkSession.builder.appName("marquee").master(master)
        for name, value in options.items():
            builder = builder.config(name, str(value))
        spark = builder.getOrCreate()
        try:
            yield spark
        finally:
            spark.stop()
