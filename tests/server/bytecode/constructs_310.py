# ruff: noqa
# fmt: off
"""Like constructs.py, for what 3.9 cannot parse."""


class Point:
    __match_args__ = ("x", "y")
    def __init__(self, x, y): self.x, self.y = x, y


def match_values():
    out = []
    for value in (1, "a", [1, 2, 3], {"k": 2, "l": 3}, Point(0, 1), None, 7):
        match value:
            case 1:
                out.append("one")
            case "a" | "b": out.append("text")
            case [first, *rest] if rest:
                out.append(rest)
            case {"k": k, **others}:
                out.append((k, others))
            case Point(0, y):
                out.append(y)
            case None:
                pass
            case _:
                out.append("other")
    return out


def match_without_default():
    match (1,
           2):
        case (1, 3):
            return 1
        case (2, _):
            return 2


def match_guards_over_lines():
    for n in range(4):
        match n:
            case int(x) if (
                x > 1 and
                x < 3
            ):
                return x
            case _ if n: continue


def with_in_parentheses():
    from contextlib import nullcontext
    with (
        nullcontext(1) as a,
        nullcontext(2) as b,
    ):
        c = a + b
    return c
