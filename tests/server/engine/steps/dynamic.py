# Code that is made while the program runs, and other threads.
import threading


def helper(value):
    return value + 1  # @helper


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
