"""The scripting API: `aio` shows it to callers with asyncio, and `_sync`, made from it, to all others."""
