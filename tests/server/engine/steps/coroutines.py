# async: a step over await waits for the same task, whatever else the loop runs meanwhile.
import asyncio


async def noise(turns):
    for _ in range(turns):  # @noise_for
        await asyncio.sleep(0.001)  # @noise_sleep


async def inner():
    value = 1  # @inner_first
    await asyncio.sleep(0.002)  # @inner_sleep
    return value  # @inner_return


async def outer():
    value = await inner()  # @outer_await
    return value + 1  # @outer_return


#> over over over over -> sleep await after return
#> over over in over over over over -> sleep await outer_await outer_return await=2 after return
#> over over in in over over over -> sleep await outer_await inner_first inner_sleep inner_return outer_await=1
#> over over in in out over -> sleep await outer_await inner_first outer_await=1 outer_return
#> over over in return -> sleep await outer_await outer_return=2
async def awaits():
    others = [asyncio.ensure_future(noise(3)) for _ in range(3)]  # @start
    await asyncio.sleep(0.002)  # @sleep
    value = await outer()  # @await
    value += 1  # @after
    await asyncio.gather(*others)  # @return
    return value


class Resource:
    async def __aenter__(self):
        await asyncio.sleep(0)  # @aenter
        return self  # @aenter_return

    async def __aexit__(self, *error):
        await asyncio.sleep(0)  # @aexit

    def __repr__(self):
        return "<resource>"


#> [3.10+] over over over over -> with body with return
#> [3.9] over over over -> with body return
#> over in over over over -> with aenter aenter_return with=<resource> body
#> [3.10+] over over over in over over -> with body with aexit with=None return
#> [3.9] over over in over over -> with body aexit body=None return
async def async_with():
    others = asyncio.ensure_future(noise(2))  # @start
    async with Resource() as resource:  # @with
        value = resource  # @body
    await others  # @return
    return value


async def ticks(limit):
    for number in range(limit):  # @ticks_for
        await asyncio.sleep(0)  # @ticks_sleep
        yield number  # @ticks_yield


#> [!cpython3.9] over over over over over over -> for body for body for return
#> [cpython3.9] over over over over over over over -> for body for body for body return
#> over in over over over over -> for ticks_for ticks_sleep ticks_yield for=0 body
#> over in out -> for ticks_for for=0
async def async_for():
    total = 0  # @start
    async for number in ticks(2):  # @for
        total += number  # @body
    return total  # @return


#> over over over -> gather after end
#> over in over -> gather after end
async def gathers():
    value = 0  # @start
    value = await asyncio.gather(inner(), inner())  # @gather
    return value  # @after


#> over over over over -> soon wait except last
async def cancelled():
    task = asyncio.ensure_future(asyncio.sleep(10))  # @start
    asyncio.get_running_loop().call_soon(task.cancel)  # @soon
    try: await task  # @wait
    except asyncio.CancelledError: task = None  # @except
    return task  # @last


async def forever():
    await asyncio.sleep(10)  # @forever


#> over over -> forever_await forever_await!cancelled
#> over in over -> forever_await forever forever_await!cancelled
#> over in out -> forever_await forever forever_await!cancelled
#> over in return -> forever_await forever forever_await!cancelled
async def task_is_cancelled():
    async def victim():
        before = 1  # @start
        await forever()  # @forever_await

    task = asyncio.ensure_future(victim())
    asyncio.get_running_loop().call_later(0.02, task.cancel)
    await asyncio.wait([task])


#> over over -> raise raise!KeyError
#> over over over -> raise raise!KeyError end
async def task_fails():
    async def failing():
        await asyncio.sleep(0)  # @start
        raise KeyError("key")  # @raise

    await asyncio.gather(failing(), return_exceptions=True)


#> over over -> comprehension return
async def async_comprehension():
    value = 0  # @start
    value = [n async for n in ticks(2)]  # @comprehension
    return value  # @return


async def interrupted():
    try: await asyncio.sleep(10)  # @interrupted
    except asyncio.CancelledError: value = 1  # @caught
    return value  # @caught_return


# CPython 3.12 begins the line of the await once more when what was thrown into it has been caught: on the way from
# CLEANUP_THROW it jumps back into the line. Plain sys.settrace and LINE events of sys.monitoring tell of it as well. On
# 3.13 they do so at CLEANUP_THROW itself, which is where the step has just come back to.
#> [!cpython3.12] over in over over over over -> victim_await interrupted caught caught_return victim_await=1 victim_return
#> [cpython3.12] over in over over over over -> victim_await interrupted caught caught_return victim_await=1 victim_await
#> [!cpython3.12] over in over out over -> victim_await interrupted caught victim_await=1 victim_return
#> [cpython3.12] over in over out over over -> victim_await interrupted caught victim_await=1 victim_await victim_return
async def cancellation_is_caught_by_who_is_awaited():
    async def victim():
        value = 0  # @start
        value = await interrupted()  # @victim_await
        return value  # @victim_return

    task = asyncio.ensure_future(victim())
    asyncio.get_running_loop().call_later(0.02, task.cancel)
    await task
