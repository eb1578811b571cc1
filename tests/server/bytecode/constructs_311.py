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


class Leaving:
    """A manager that ends in one of three ways."""
    def __init__(self, how): self.how = how
    def __enter__(self): return self
    def __exit__(self, *what):
        if self.how == "raise": raise KeyError(1)
        return self.how == "swallow"


def managers_of_one_line():
    log = []
    for first in "pass", "raise", "swallow":
        for second in "pass", "raise", "swallow":
            for value in 0, 1:
                try:
                    with Leaving(first), Leaving(second):
                        log.append(1 / value)
                    log.append("swallowed")
                except (KeyError, ZeroDivisionError) as error:
                    log.append(repr(error))
    return log


def managers_and_body_on_one_line():
    log = []
    for first in "pass", "raise", "swallow":
        for second in "pass", "raise", "swallow":
            try:
                with Leaving(first), Leaving(second): log.append(1 / 0)
                log.append("swallowed")
            except (KeyError, ZeroDivisionError) as error:
                log.append(repr(error))
    return log
