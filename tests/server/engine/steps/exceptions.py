# Exceptions: a step that one breaks off ends where it is handled.
import contextlib


def fails(value):
    value += 1  # @fails_first
    raise ValueError(value)  # @raise


#> over over over over over over -> try call except handler return end
#> over over in over over over -> try call fails_first raise except handler
#> over over in out over -> try call fails_first except handler
#> over over in return -> try call fails_first except
#> over until until until -> try call except handler
def catches():
    text = ""  # @start
    try:  # @try
        fails(1)  # @call
    except ValueError as error:  # @except
        text = str(error)  # @handler
    return text  # @return


#> over over over over over -> one two else finally return
def else_finally():
    text = ""  # @start
    try:  # @one
        text = "tried"  # @two
    except ValueError:
        text = "never"
    else:
        text += "else"  # @else
    finally:
        text += "finally"  # @finally
    return text  # @return


#> over over over over over over over -> try try call finally outer handled return
def finally_then_handled():
    text = "x"  # @start
    try:  # @try
        try:  # @try
            fails(1)  # @call
        finally:
            text += "cleaned"  # @finally
    except ValueError:  # @outer
        text += "handled"  # @handled
    return text  # @return


#> over over over over over -> try call wrong right handled
def wrong_handler_first():
    text = "x"  # @start
    try:  # @try
        fails(1)  # @call
    except KeyError:  # @wrong
        text = "never"
    except ValueError:  # @right
        text = "caught"  # @handled
    return text


def passes_on():
    value = 1  # @passes_first
    fails(value)  # @passes_call
    return value


#> over over over -> try call except
#> over over in over over -> try call passes_first passes_call except
#> over over in over in over over -> try call passes_first passes_call fails_first raise except
#> over over in over in out -> try call passes_first passes_call fails_first except
def through_two_frames():
    text = ""  # @start
    try:  # @try
        passes_on()  # @call
    except ValueError:  # @except
        text = "caught"
    return text


#> over over over over over -> try try call except reraise
#> over over over over over over -> try try call except reraise outer
def reraises():
    value = 1  # @start
    try:  # @try
        try:  # @try
            fails(value)  # @call
        except ValueError:  # @except
            raise  # @reraise
    except ValueError:  # @outer
        pass


#> [3.10+] over over over over -> suppress call suppress return
#> [3.9] over over over over -> suppress call call return
def suppressed():
    value = 1  # @start
    with contextlib.suppress(ValueError):  # @suppress
        fails(value)  # @call
    return value  # @return


#> over over -> sort except
#> over in over -> sort key except
def crosses_library_code():
    def key(value):
        raise KeyError(value)  # @key
    numbers = [2, 1]  # @start
    try: numbers.sort(key=key)  # @sort
    except KeyError: numbers = []  # @except
    return numbers


#> over over -> call end
#> over in over over -> call fails_first raise end
def uncaught_in_thread():
    import threading
    threading.excepthook = lambda _: None
    def body():
        value = 1  # @start
        fails(value)  # @call
    thread = threading.Thread(target=body)
    thread.start()
    thread.join()


#> over over over -> raise_ handler last
def raise_from():
    value = 1  # @start
    try: raise KeyError(value) from None  # @raise_
    except KeyError: value = 2  # @handler
    return value  # @last
