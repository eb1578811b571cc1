"""How objects of well-known libraries are shown: by stand-ins with the same names, and by the real things."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.server.test_inspection import Stopped
from tests.support.dap import DapClient
from tests.support.interpreters import Interpreter
from tests.support.program import Program

#: Stand-ins fail loudly where a renderer does more than read what is stored.
STAND_INS = """\
#
import datetime, decimal, enum, pathlib, sys

def named(module, name=None):
    def rename(kind):
        kind.__module__ = module
        kind.__qualname__ = kind.__name__ = name or kind.__name__
        return kind
    return rename

def untouched(self, *args):
    raise AssertionError("not asked for")

@named("polars.dataframe.frame")
class DataFrame:
    shape, columns = (1000, 2), ["city", "people"]
    __repr__ = untouched
@named("polars.series.series")
class Series:
    name, dtype = "city", "String"
    __len__ = lambda self: 1000
    head = lambda self, count: self
    to_list = lambda self: ["Oslo", "Rome"]
    __repr__ = untouched
@named("polars.lazyframe.frame")
class LazyFrame:
    columns = property(untouched)
    __repr__ = untouched
@named("torch")
class Tensor:
    shape, dtype, device = (2, 3), "torch.float32", "cpu"
    __repr__ = untouched
@named("django.db.models.query")
class QuerySet:
    _result_cache = None
    __repr__ = __iter__ = __len__ = untouched
@named("django.db.models.base")
class Model:
    __repr__ = untouched
class Customer(Model):
    orders = property(untouched)
    def __init__(self):
        self._state, self.id, self.name = object(), 7, "Ada"
class Shouting(Model):
    def __repr__(self):
        return "<my own words>"
@named("sqlalchemy.orm.instrumentation")
class ClassManager:
    pass
class User:
    _sa_class_manager = ClassManager()
    def __init__(self, **columns):
        self._sa_instance_state = object()
        self.__dict__.update(columns)
@named("pydantic.main")
class BaseModel:
    __slots__ = "__dict__", "__pydantic_fields_set__"
    __repr__ = untouched
class Settings(BaseModel):
    def __init__(self):
        self.__dict__.update(host="localhost", port=8080)

class Colour(enum.Enum):
    RED = 1
class Bits(enum.IntFlag):
    ONE = 1
    TWO = 2

frame, series, plan, tensor = DataFrame(), Series(), LazyFrame(), Tensor()
query, fetched = QuerySet(), QuerySet()
fetched._result_cache = [1, 2, 3]
customer, shouting, settings = Customer(), Shouting(), Settings()
user, expired = User(id=1, email="ada@example.org"), User()
colour, bits = Colour.RED, Bits.ONE
when = datetime.datetime(2017, 11, 3, 12, 30, tzinfo=datetime.timezone.utc)
day, span = datetime.date(2017, 11, 3), datetime.timedelta(hours=1)
path, data = pathlib.PurePosixPath("/tmp/x"), b"\\x00\\x01remora"
input()
here = 1  # @here
"""


@pytest.fixture
def shown(interpreter: Interpreter) -> Iterator[dict[str, str]]:
    with Program(interpreter, STAND_INS, enable={}) as program, DapClient.connect(program.address) as client:
        client.attach({program.path: [program.line("here")]})
        program.stdin_line("")
        stopped = Stopped(program, client)
        found = {name: row["value"] for name, row in stopped.rows().items()}
        found["hex"] = stopped.evaluate("data", "watch", format={"hex": True})
        yield found


def test_well_known_objects_are_shown_by_what_they_store(shown: dict[str, str]) -> None:
    wanted = {
        "frame": "<DataFrame 1000 rows x 2 columns> ['city', 'people']",
        "series": "<Series 'city' of 1000 String> ['Oslo', 'Rome']",
        "plan": "<LazyFrame not run yet>",
        "tensor": "<Tensor 2x3 torch.float32 cpu>",
        "query": "<QuerySet not run yet>",
        "fetched": "<QuerySet of 3 results>",
        "customer": "Customer(id=7, name='Ada')",
        "shouting": "<my own words>",
        "settings": "Settings(host='localhost', port=8080)",
        "user": "User(id=1, email='ada@example.org')",
        "expired": "<User not loaded>",
        "colour": "<Colour.RED: 1>",
        "bits": "<Bits.ONE: 1>",
        "day": "datetime.date(2017, 11, 3)",
        "span": "datetime.timedelta(seconds=3600)",
        "path": "PurePosixPath('/tmp/x')",
        "data": "b'\\x00\\x01remora'",
        "hex": "00 01 72 65 6d 6f 72 61",
    }
    assert {name: shown[name] for name in wanted} == wanted
    assert shown["when"].startswith("datetime.datetime(2017, 11, 3, 12, 30, tzinfo=datetime.timezone.utc")


REAL = """\
#
import attrs, numpy, pandas
@attrs.define
class Card:
    rank: int
    suit: str = "hearts"
    hidden: int = attrs.field(default=1, repr=False)
@attrs.define(repr=False)
class Silent:
    word: str
card, silent = Card(3), Silent("hush")
grid = numpy.arange(2_000_000).reshape(1000, 2000)
number, few = numpy.float64(1.5), numpy.array([1, 2, 3], dtype="int8")
table = pandas.DataFrame({"city": ["Oslo", "Rome"] * 500, "people": range(1000)})
column = table["people"]
input()
here = 1  # @here
"""


def test_real_arrays_tables_and_attrs() -> None:
    pytest.importorskip("numpy", reason="no wheels for this Python")
    pytest.importorskip("pandas", reason="no wheels for this Python")
    own = Interpreter(sys.executable, "own", sys.version_info[:3], sys.implementation.name)
    with Program(own, REAL, enable={}, warnings="ignore") as program:
        with DapClient.connect(program.address) as client:
            client.attach({program.path: [program.line("here")]})
            program.stdin_line("")
            stopped = Stopped(program, client)
            rows = stopped.rows()
            assert rows["card"]["value"] == "Card(rank=3, suit='hearts')"
            assert rows["silent"]["value"] == "Silent(word='hush')"
            assert rows["grid"]["value"].startswith("<ndarray 1000x2000 int64> [[ 0, 1, 2, ..., 1997, 1998,")
            assert len(rows["grid"]["value"]) < 900
            assert rows["few"]["value"] == "<ndarray 3 int8> [1, 2, 3]"
            assert rows["number"]["value"] == "np.float64(1.5)"
            assert rows["table"]["value"] == "<DataFrame 1000 rows x 2 columns> ['city', 'people']"
            assert rows["column"]["value"] == "<Series 'people' of 1000 int64> [0, 1, 2, 3, 4]"
            inside = stopped.inside("grid")
            assert inside["shape"]["value"] == "(1000, 2000)"
            assert inside["[2]"]["value"].startswith("<ndarray 2000 int64> [4000, 4001,")
