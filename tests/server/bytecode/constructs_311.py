# ruff: noqa
# fmt: off
"""Like constructs.py, for what 3.10 cannot parse."""


def except_groups():
    log = []
    for errors in ([ValueError(1), KeyError(2)], [TypeError(1)], []):
        try:
            if errors:
                raise ExceptionGroup("g", errors)
        except* ValueError as group:
            log.append(len(group.exceptions))
        except* (KeyError, TypeError):
            log.append("other")
        else:
            log.append("none")
        finally:
            log.append("end")
    return log


def except_group_leaves():
    try:
        raise ExceptionGroup("g", [ValueError(1), OSError(2)])
    except* ValueError:
        pass


def task_group():
    async def work(n):
        await asyncio.sleep(0)
        return n
    async def main():
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(work(n)) for n in range(3)]
        async with asyncio.timeout(5):
            return [t.result() for t in tasks]
    return asyncio.run(main())
