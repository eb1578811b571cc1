"""What a Ray job's set-up hook does in each worker: switch attach on, and leave word of it in the cluster.

Ray carries the hook to the workers. It never raises: a worker whose hook fails is not started.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from remora_client.discovery._key import Key

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NAMESPACE", "setup_hook"]

#: Of Ray's key-value store (GCS), under which each worker that has the hook says where it is.
NAMESPACE = b"remora"


def setup_hook() -> Callable[[], None]:
    """The hook, with a new secret and a new certificate in it."""
    key = Key.new()
    secret, certificate, private_key, fingerprint = (
        key.secret,
        key.certificate,
        key.private_key,
        key.fingerprint,
    )
    namespace = NAMESPACE

    def hook() -> None:
        import contextlib
        import json

        with contextlib.suppress(Exception):
            import ray
            from ray.experimental import internal_kv

            from remora_client.discovery._inside import switch_on

            worker = ray._private.worker.global_worker.worker_id.hex()
            host = ray.util.get_node_ip_address()
            answer = switch_on(
                secret, f"ray worker {worker[:8]}", [host, "0.0.0.0"], certificate, private_key
            )
            said = {**answer, "secret": secret, "fingerprint": fingerprint}
            internal_kv._internal_kv_put(worker.encode(), json.dumps(said).encode(), namespace=namespace)

    return hook
