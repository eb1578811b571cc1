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


class Entering(Leaving):
    """The same, and it may raise where it is entered."""
    def __enter__(self):
        if self.how == "refuse": raise KeyError(2)


def three_managers_of_one_line():
    log = []
    ways = "pass", "raise", "swallow", "refuse"
    for first in ways:
        for second in ways:
            for third in ways:
                for value in 0, 1:
                    try:
                        with Entering(first), Entering(second), Entering(third):
                            log.append(1 / value)
                        log.append("swallowed")
                    except (KeyError, ZeroDivisionError) as error:
                        log.append(repr(error))
    return log


def five_managers_of_one_line():
    log = []
    for refusing in range(6):
        for raising in range(6):
            hows = ["refuse" if n == refusing else "raise" if n == raising else "pass" for n in range(5)]
            try:
                with Entering(hows[0]), Entering(hows[1]), Entering(hows[2]), Entering(hows[3]), Entering(hows[4]):
                    log.append(1 / 0)
            except (KeyError, ZeroDivisionError) as error:
                log.append(repr(error))
    return log


def managers_within_managers():
    log = []
    for how in "pass", "raise", "swallow", "refuse":
        try:
            with Entering("pass"), Entering("pass"), Entering(how):
                with Entering("pass"), Entering(how), Entering("pass"):
                    log.append(1 / 0)
            log.append("swallowed")
        except (KeyError, ZeroDivisionError) as error:
            log.append(repr(error))
    return log


def managers_and_a_loop():
    log = []
    for how in "pass", "raise", "swallow", "refuse":
        for value in 0, 1:
            try:
                with Entering("pass"), Entering("pass"), Entering(how):
                    for n in range(3):
                        if n == value: continue
                        with Entering("pass"), Entering(how), Entering("pass"): log.append(1 / (n - 2))
            except (KeyError, ZeroDivisionError) as error:
                log.append(repr(error))
    return log
