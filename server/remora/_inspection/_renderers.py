"""How well-known kinds of objects are shown, found by the name of their class: nothing is imported for it.

A renderer gets the value and a function that renders a value inside it. It may read what its library stores
and call nothing that takes long. Runs wherever the value is rendered.
"""

from __future__ import annotations

import contextlib
import sys
from types import FunctionType
from typing import TYPE_CHECKING, Any

from remora._inspection._statics import (
    class_name,
    is_a,
    lookup,
    method_owner,
    module_of,
    mro,
    own_attributes,
    stored,
)
from remora._owner._hooks import hooks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from remora._owner._hooks import OwnRenderer

    Inner = Callable[[Any], str]
    Render = Callable[[Any, Inner], str]

__all__ = ["calls_its_library", "find_own_renderer", "find_renderer", "renders"]

_RENDERERS: dict[str, Render] = {}


def renders(*names: str) -> Callable[[Render], Render]:
    """Declare a renderer for the classes with these full names, and for what derives from them."""

    def declare(render: Render) -> Render:
        for name in names:
            _RENDERERS[name] = render
        return render

    return declare


def calls_its_library(render: Render) -> bool:
    """Whether this has the library show a value, which asks what is in it, and what derives from it."""
    return render in (_ndarray, _data_frame, _series, _polars_frame, _polars_series, _tensor)


def find_own_renderer(kind: type) -> OwnRenderer | None:
    """What the program has declared itself for a class or what it derives from: the nearest, if any."""
    known = hooks.renderers
    if not known:
        return None
    for base in mro(kind):
        name = class_name(base)
        for key in (id(base), f"{module_of(base)}.{name}", name):
            if key in known:
                return known[key]
    return None


def find_renderer(kind: type) -> Render | None:
    """The renderer for a class, unless the class says itself how it wants to be shown."""
    for base in mro(kind):
        render = _RENDERERS.get(f"{module_of(base)}.{class_name(base)}")
        if render is not None:
            return render
    if _is_generated_dataclass(kind):
        return _dataclass
    if _is_generated_attrs(kind):
        return _attrs
    if lookup(kind, "_sa_class_manager") is not None:
        return _sqlalchemy_model
    if _is_namedtuple(kind):
        return _namedtuple
    return None


def _is_generated_dataclass(kind: type) -> bool:
    """A dataclass whose `__repr__` is the generated one, or none at all."""
    fields = lookup(kind, "__dataclass_fields__")
    known = getattr(sys.modules.get("dataclasses"), "Field", None)
    if type(fields) is not dict or not all(type(each) is known for each in fields.values()):
        return False
    if method_owner(kind, "__repr__") is object:
        return True
    method = lookup(kind, "__repr__")
    generated = getattr(method, "__wrapped__", None) if type(method) is FunctionType else None
    return _code_file(generated) == "<string>"


def _is_generated_attrs(kind: type) -> bool:
    """A class of attrs whose `__repr__` is the generated one, or none at all."""
    fields = lookup(kind, "__attrs_attrs__")
    known = getattr(sys.modules.get("attr"), "Attribute", None)
    if not is_a(fields, tuple) or not all(type(each) is known for each in tuple.__iter__(fields)):
        return False
    generated = _code_file(lookup(kind, "__repr__")) or ""
    return method_owner(kind, "__repr__") is object or generated.startswith("<attrs generated")


def _is_namedtuple(kind: type) -> bool:
    """A class that `namedtuple` or `typing.NamedTuple` made, with the `__repr__` that these give it."""
    if not any(base is tuple for base in mro(kind)) or type(lookup(kind, "_fields")) is not tuple:
        return False
    if not all(type(name) is str for name in lookup(kind, "_fields")):
        return False
    return _code_file(lookup(kind, "__repr__")) == _code_file(sys.modules["collections"].namedtuple)


def _code_file(function: Any) -> str | None:
    return function.__code__.co_filename if type(function) is FunctionType else None


def _dataclass(value: Any, inner: Inner) -> str:
    fields = lookup(type(value), "__dataclass_fields__")
    own = own_attributes(value)
    names = [name for name, field in fields.items() if name in own and getattr(field, "repr", True)]
    return _fields(value, names, own, inner)


def _attrs(value: Any, inner: Inner) -> str:
    own = own_attributes(value)
    names = [field.name for field in tuple.__iter__(lookup(type(value), "__attrs_attrs__")) if field.repr]
    return _fields(value, [name for name in names if name in own], own, inner)


def _fields(value: Any, names: Iterable[str], own: Mapping[str, Any], inner: Inner) -> str:
    return f"{class_name(type(value))}({', '.join(f'{name}={inner(own[name])}' for name in names)})"


def _namedtuple(value: Any, inner: Inner) -> str:
    fields = lookup(type(value), "_fields")
    shown = [f"{name}={inner(item)}" for name, item in zip(fields, tuple.__iter__(value))]
    return f"{class_name(type(value))}({', '.join(shown)})"


@renders("enum.Enum")
def _enum(value: Any, inner: Inner) -> str:
    own = own_attributes(value)
    return f"<{class_name(type(value))}.{own.get('_name_')}: {inner(own.get('_value_'))}>"


@renders("datetime.datetime", "datetime.date", "datetime.time", "datetime.timedelta", "datetime.timezone")
def _datetime(value: Any, inner: Inner) -> str:
    module = sys.modules["datetime"]
    base: Any = next(base for base in mro(type(value)) if getattr(module, class_name(base), None) is base)
    zone = base.tzinfo.__get__(value) if base in (module.datetime, module.time) else None
    if zone is None or type(zone) is module.timezone:
        return str(base.__repr__(value))
    names = ("year", "month", "day", "hour", "minute", "second", "microsecond", "fold")
    parts = {name: getattr(base, name).__get__(value) for name in names if hasattr(base, name)}
    return f"{repr(base(**parts))[:-1]}, tzinfo={inner(zone)})"


@renders("pathlib.PurePath", "pathlib._local.PurePath")
def _path(value: Any, inner: Inner) -> str:
    base: Any = next(base for base in mro(type(value)) if module_of(base).partition(".")[0] == "pathlib")
    return f"{class_name(type(value))}({inner(base.__str__(value))})"


@renders("types.SimpleNamespace")
def _simple_namespace(value: Any, inner: Inner) -> str:
    return f"namespace({', '.join(f'{name}={inner(held)}' for name, held in own_attributes(value).items())})"


@renders("builtins.generator", "builtins.coroutine", "builtins.async_generator")
def _generator(value: Any, _inner: Inner) -> str:
    prefix = {"generator": "gi", "coroutine": "cr", "async_generator": "ag"}[type(value).__name__]
    frame = getattr(value, f"{prefix}_frame")
    if frame is None:
        state = "finished"
    elif getattr(value, f"{prefix}_running"):
        state = "running"
    else:
        state = f"at line {frame.f_lineno}"
    return f"<{type(value).__name__} {value.__qualname__} {state}>"


@renders("numpy.ndarray")
def _ndarray(value: Any, _inner: Inner) -> str:
    numpy = sys.modules["numpy"]
    shape = "x".join(map(str, value.shape)) or "scalar"
    kind = class_name(type(value))
    items = " ".join(numpy.array2string(value, threshold=20, edgeitems=3, separator=", ").split())
    return f"<{kind} {shape} {value.dtype}> {items}"


@renders("pandas.core.frame.DataFrame", "pandas.DataFrame")
def _data_frame(value: Any, inner: Inner) -> str:
    rows, columns = value.shape
    return f"<DataFrame {rows} rows x {columns} columns> {inner([str(name) for name in value.columns[:10]])}"


@renders("pandas.core.series.Series", "pandas.Series")
def _series(value: Any, inner: Inner) -> str:
    name = "" if value.name is None else f" {value.name!r}"
    return f"<Series{name} of {len(value)} {value.dtype}> {inner(value.iloc[:5].tolist())}"


@renders("polars.dataframe.frame.DataFrame")
def _polars_frame(value: Any, inner: Inner) -> str:
    rows, columns = value.shape
    return f"<DataFrame {rows} rows x {columns} columns> {inner(list(value.columns[:10]))}"


@renders("polars.series.series.Series")
def _polars_series(value: Any, inner: Inner) -> str:
    name = f" {value.name!r}" if value.name else ""
    return f"<Series{name} of {len(value)} {value.dtype}> {inner(value.head(5).to_list())}"


@renders("polars.lazyframe.frame.LazyFrame")
def _polars_plan(value: Any, _inner: Inner) -> str:
    return f"<{class_name(type(value))} not run yet>"  # even its columns would be computed


@renders("torch.Tensor")
def _tensor(value: Any, _inner: Inner) -> str:
    return f"<Tensor {'x'.join(map(str, value.shape)) or 'scalar'} {value.dtype} {value.device}>"


@renders("django.db.models.query.QuerySet", "sqlalchemy.orm.query.Query")
def _query(value: Any, _inner: Inner) -> str:
    # Its own repr() would ask the database.
    cache = None
    with contextlib.suppress(LookupError):
        cache = stored(value, "_result_cache")
    state = f"of {len(cache)} results" if type(cache) is list else "not run yet"
    return f"<{class_name(type(value))} {state}>"


def _loaded(value: Any, library: str) -> dict[str, Any]:
    """What the object holds by now: to ask for anything else could ask a database.

    Raises:
        LookupError: the class has a `__repr__` of its own, which says it better.
    """
    owner = method_owner(type(value), "__repr__")
    if owner is not object and owner is not None and module_of(owner).partition(".")[0] != library:
        raise LookupError(owner)
    return own_attributes(value)


@renders("pydantic.main.BaseModel")
def _pydantic_model(value: Any, inner: Inner) -> str:
    own = _loaded(value, "pydantic")
    names = [name for name in own if not name.startswith("__")]
    return _fields(value, names, own, inner)


@renders("django.db.models.base.Model")
def _django_model(value: Any, inner: Inner) -> str:
    own = _loaded(value, "django")
    return _fields(value, [name for name in own if name != "_state"], own, inner)


def _sqlalchemy_model(value: Any, inner: Inner) -> str:
    own = _loaded(value, "sqlalchemy")
    names = [name for name in own if name != "_sa_instance_state"]
    return _fields(value, names, own, inner) if names else f"<{class_name(type(value))} not loaded>"
