"""What `enable_attach` raises and warns of. Here, so that `import remora` imports nothing else."""

from __future__ import annotations

__all__ = ["AttachAlreadyEnabledError", "InsecureWarning"]


class AttachAlreadyEnabledError(Exception):
    """`enable_attach` was called again with other arguments. `disable_attach` first, to change them."""


class InsecureWarning(UserWarning):
    """Other machines can reach the server without a secret, or without TLS. The text says what to do."""
