"""A Ray job for the tests: with a cluster of its own for three workers, or in the cluster of another one.

It prints the cluster's address, and then does what the lines of its standard input say: `KEY NUMBER` runs the
module's function `job` as a task, `actor NAME` makes an actor (`nameless` one without a name), and
`call NAME NUMBER` has it do `job`.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
import threading
from typing import Any


def main(module: str, address: str = "") -> None:
    import ray

    from remora_client.discovery import ray_setup_hook

    jobs: Any = importlib.import_module(module)
    if address:
        ray.init(address=address, namespace="theirs", log_to_driver=False)
    else:
        # Short: there are Unix sockets in it.
        folder = tempfile.mkdtemp(prefix="ray-", dir="/tmp")
        print("folder", folder, flush=True)
        ray.init(
            num_cpus=3,
            include_dashboard=False,
            log_to_driver=False,
            _temp_dir=folder,
            _node_ip_address="127.0.0.1",
            runtime_env={"worker_process_setup_hook": ray_setup_hook()},
        )
    print("cluster", ray.get_runtime_context().gcs_address, flush=True)
    task = ray.remote(jobs.job)
    actor = ray.remote(num_cpus=0)(jobs.Worker)
    actors: dict[str, Any] = {}

    def tell(word: str, reference: Any) -> None:
        threading.Thread(target=lambda: print(word, ray.get(reference), flush=True), daemon=True).start()

    for line in sys.stdin:
        word, *rest = line.split()
        if word == "actor":
            actors[rest[0]] = actor.options(name=None if rest[0] == "nameless" else rest[0]).remote()
            print("actor", ray.get(actors[rest[0]].pid.remote()), flush=True)
        elif word == "call":
            tell("call", actors[rest[0]].do.remote(int(rest[1])))
        else:
            tell(word, task.remote(int(rest[0])))
    ray.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
