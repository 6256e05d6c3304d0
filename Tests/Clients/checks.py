"""What a check is, and how all of them are run."""

import asyncio
import traceback

ALL = []
# One loop for all: clients close their connections when they are collected, and want the loop that they were made on.
LOOP = asyncio.new_event_loop()


def check(*arguments):
    """Marks a function as a check; with arguments, as one check for each of them."""
    if len(arguments) == 1 and callable(arguments[0]):
        ALL.append((arguments[0].__module__, arguments[0].__name__, arguments[0], ()))
        return arguments[0]

    def mark(function):
        for argument in arguments:
            values = argument if isinstance(argument, tuple) else (argument,)
            name = f"{function.__name__}[{','.join(str(value) for value in values)}]"
            ALL.append((function.__module__, name, function, values))
        return function
    return mark


def run(world, only=""):
    passed = failed = 0
    for module, name, function, values in ALL:
        if only not in f"{module}.{name}":
            continue
        try:
            result = function(world, *values)
            if asyncio.iscoroutine(result):
                LOOP.run_until_complete(result)
            passed += 1
            print(f"ok      {module}.{name}", flush=True)
        except Exception:  # A check may fail in any way; each is reported with its trace.
            failed += 1
            print(f"FAILED  {module}.{name}\n{traceback.format_exc()}", flush=True)
    return passed, failed


def raises(kind, act):
    """The error of the given kind that `act` raises."""
    try:
        act()
    except kind as error:
        return error
    raise AssertionError(f"expected {kind.__name__}, and nothing was raised")
