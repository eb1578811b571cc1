# with: what it enters and leaves.
import contextlib


class Guard:
    def __enter__(self):
        return self  # @enter

    def __exit__(self, *error):
        self.error = error  # @exit_first
        return True  # @exit_return


@contextlib.contextmanager
def opened(log):
    log.append("enter")  # @cm_enter
    yield log  # @cm_yield
    log.append("exit")  # @cm_exit


#> [3.10+] over over over over -> body start return end
#> [3.9] over over over -> body return end
#> [3.10+] in over over over in over over over -> enter start=<guard> body start exit_first exit_return start=True return
#> [3.9] in over over in over over over -> enter start=<guard> body exit_first exit_return body=True return
#> [3.10+] in out over over over -> enter start=<guard> body start return
#> [3.9] in out over over -> enter start=<guard> body return
def simple():
    with Guard():  # @start
        value = 1  # @body
    return value  # @return


Guard.__repr__ = lambda self: "<guard>"


#> [3.10+] over over over over -> with body with return
#> [3.9] over over over -> with body return
#> over in over over over -> with cm_enter cm_yield with=['enter'] body
#> over in out -> with cm_enter with=['enter']
#> [3.10+] over over over in over over -> with body with cm_exit with=None return
#> [3.9] over over in over over -> with body cm_exit body=None return
def generator_based():
    log = []  # @start
    with opened(log) as inner:  # @with
        inner.append("body")  # @body
    return log  # @return


#> [3.10+] over over over -> fail start return
#> [3.9] over over over -> fail fail return
#> [3.10+] over over in over over -> fail start exit_first exit_return start=True
#> [3.9] over over in over over -> fail fail exit_first exit_return fail=True
def swallows():
    with Guard():  # @start
        raise ValueError  # @fail
    return 1  # @return


#> [3.10+] over over over over over -> second body second start return
#> [3.9] over over over over -> second body return end
def nested():
    with Guard():  # @start
        with Guard():  # @second
            value = 1  # @body
    return value  # @return


#> [3.10+] over over over -> body start end
#> [3.9] over over -> body end
def returns_inside():
    with Guard():  # @start
        return 1  # @body
    return 2


#> [3.10+] over over over over -> try_ return finally end
#> [3.9] over over over over -> try_ return finally return
def return_through_finally():
    value = 1  # @start
    try:  # @try_
        return value  # @return
    finally:
        value = 2  # @finally
