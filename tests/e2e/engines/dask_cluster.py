"""A Dask cluster of three workers, each a process with a nanny: a program for the tests.

It prints the scheduler's address, and then does what the lines of its standard input say: `KEY NUMBER`
submits the function `job` of the module given, whose result is printed as `KEY RESULT`.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any


def main(module: str) -> None:
    from distributed import Client, LocalCluster

    jobs: Any = importlib.import_module(module)
    options: dict[str, Any] = {"n_workers": 3, "threads_per_worker": 1, "processes": True}
    with LocalCluster(**options, dashboard_address=None) as cluster, Client(cluster) as client:
        print("scheduler", cluster.scheduler_address, flush=True)
        for line in sys.stdin:
            word, *rest = line.split()
            if word == "restart":
                client.restart()
                print("restart", flush=True)
            elif word == "lease":
                print("lease", cluster.scheduler.worker_ttl, flush=True)
            elif word == "workers":
                print("workers", *sorted(cluster.scheduler.workers), flush=True)
            else:
                future = client.submit(jobs.job, int(rest[0]), key=word)
                future.add_done_callback(lambda done: print(done.key, done.result(), flush=True))
                _FUTURES.append(future)


_FUTURES: list[Any] = []  # a future that nobody holds is cancelled

if __name__ == "__main__":
    main(sys.argv[1])
