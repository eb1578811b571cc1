# Code that is made while the program runs, and other threads.
import ast
import functools
import threading

LIBRARY = {}
exec(
    compile(
        "def run_one(code, names):\n    exec(code, names)\n"
        "def run_all(codes, names):\n    for code in codes: run_one(code, names)\n"
        "def fails(code, names):\n"
        "    try: exec(code, names)\n"
        "    except Exception: return True\n"
        "    return False\n"
        "def show_all(codes, names):\n    for code in codes:\n        if fails(code, names): break\n",
        "<library>",
        "exec",
    ),
    LIBRARY,
)


def cell(function, how="run_all"):
    """As notebooks run it: each statement is code of its own, and only the library calls it."""
    with open(__file__, encoding="utf-8") as file:
        functions = ast.parse(file.read()).body
    (body,) = (each.body for each in functions if getattr(each, "name", "") == function.__name__)
    codes = [compile(ast.Module([each], []), __file__, "exec") for each in body]
    return functools.partial(LIBRARY[how], codes, {"helper": helper, "fails": fails})


def called_cell(function):
    run = cell(function)
    return lambda: run()  # @caller


def shown_cell(function):
    """What a statement raises is shown, and ends the cell."""
    return cell(function, "show_all")


def caller_of_a_shown_cell(function):
    run = shown_cell(function)

    def caller():
        run()
        return True  # @shown

    return caller


def helper(value):
    return value + 1  # @helper


def fails(value):
    return value / 0  # @fails


#> over over over -> exec_ after end
#> over in over over -> exec_ helper exec_=2 after
def executes():
    names = {"helper": helper}  # @start
    exec("value = helper(1)", names)  # @exec_
    return names["value"]  # @after


#> over over over -> eval_ after end
#> over in over -> eval_ helper eval_=2
def evaluates():
    value = 1  # @start
    value = eval("helper(value)")  # @eval_
    return value  # @after


#> over over over -> thread_start join return
#> over in over -> thread_start join return
def starts_thread():
    def target():
        value = 1  # @target
        return value  # @target2
    thread = threading.Thread(target=target)  # @start
    thread.start()  # @thread_start
    thread.join()  # @join
    return thread  # @return


#> over over over -> target2 target3 end
def steps_in_thread():
    def target():
        value = 1  # @start
        value += 1  # @target2
        return helper(value)  # @target3
    thread = threading.Thread(target=target)
    thread.start()
    thread.join()


#> over over over over -> second again third end
#> over over in over over over -> second again helper again=2 third end
#> in in in in -> second again helper again=2
#> until until until -> second again end
#> out -> end
@cell
def statements_of_a_cell():
    first = 1  # @start
    second = first + 1  # @second
    third = [  # @third
        helper(first)]  # @again


#> over over over -> next_ caller=None end
#> in in -> next_ caller=None
#> out -> caller=None
@called_cell
def statements_of_a_cell_that_is_called():
    first = 1  # @start
    second = first + 1  # @next_


#> over -> raising
#> over over -> raising end
#> over in over -> raising fails end
#> in in in -> raising fails end
#> until until -> raising end
@shown_cell
def a_statement_of_a_cell_raises():
    before = 1  # @start
    before = fails(before)  # @raising
    after = before  # @never


#> over over -> raising2 shown
@caller_of_a_shown_cell
def a_statement_of_a_called_cell_raises():
    before = 1  # @start
    before = 1 / 0  # @raising2
