"""Puts a hook on every line of much of the standard library, and has it do the same work before and after.

Prints the number of functions, of hits, and the results that differ.
"""

# ruff: noqa: B018, E501, ICN001, PT009, PT027, RUF071

import argparse
import ast
import asyncio
import base64
import calendar
import collections
import concurrent.futures
import configparser
import contextlib
import copy
import csv
import datetime
import decimal
import difflib
import email.message
import email.parser
import email.policy
import enum
import fnmatch
import fractions
import functools
import gc
import glob
import graphlib
import heapq
import html.parser
import http.client
import http.server
import inspect
import io
import ipaddress
import json
import locale
import logging
import multiprocessing.pool
import os
import pickle
import pickletools
import pprint
import queue
import random
import re
import sched
import selectors
import shlex
import shutil
import socket
import socketserver
import sqlite3
import statistics
import string
import sys
import tarfile
import tempfile
import textwrap
import threading
import time
import tokenize
import traceback
import types
import typing
import unittest
import urllib.parse
import urllib.request
import uuid
import xml.dom.minidom
import xml.etree.ElementTree
import zipfile

from remora._engine._bytecode import lines_of, nested
from remora._engine._reach import Swapper

LIBRARY = os.path.dirname(os.__file__)


def text_of(module):
    with open(module.__file__, encoding="utf-8") as file:
        return file.read()


def work_json():
    value = {"a": [1, 2.5, {"b": None}], "c": "x" * 10, "é": True}
    text = json.dumps(value, indent=2, sort_keys=True, cls=json.JSONEncoder)
    decoder = json.JSONDecoder()
    decoder.parse_string = json.decoder.py_scanstring
    decoder.scan_once = json.scanner.py_make_scanner(decoder)
    errors = []
    for bad in ("{bad", '{"a": 1,}', "[1, 2", '"\\x"', ""):
        try:
            decoder.decode(bad)
        except ValueError as error:
            errors.append(str(error))
    return text, decoder.decode(text), "".join(json.JSONEncoder(indent=1).iterencode(value)), errors


def work_text():
    lorem = "lorem ipsum dolor sit amet, consectetur " * 20
    difflib.HtmlDiff._default_prefix = 0
    a, b = text_of(textwrap).splitlines()[:60], text_of(string).splitlines()[:60]
    return (
        textwrap.fill(lorem, 40, initial_indent="> "), textwrap.dedent("   a\n    b\n"), textwrap.shorten(lorem, 30),
        "\n".join(difflib.unified_diff(a, b)), list(difflib.ndiff(a[:20], b[:20])),
        difflib.HtmlDiff().make_table(a[:10], b[:10]), difflib.get_close_matches("appel", ["ape", "apple"]),
        string.Template("$a ${b}").substitute(a=1, b=2), string.Formatter().format("{0!r:>{w}}", "x", w=9),
        shlex.split("a 'b c' d\\ e"), fnmatch.filter(["a.py", "b"], "*.py"),
    )  # fmt: skip


def work_ast():
    tree = ast.parse(text_of(textwrap))
    tokens = list(tokenize.generate_tokens(io.StringIO(text_of(textwrap)).readline))
    return (
        ast.dump(tree, include_attributes=True, indent=1), ast.unparse(tree), tokenize.untokenize(tokens),
        [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)],
        ast.literal_eval("{'a': [1, -2, (3,)]}"), str(inspect.signature(textwrap.fill)),
        inspect.getsource(textwrap.TextWrapper), inspect.getdoc(json.dumps), inspect.getmro(collections.OrderedDict),
    )  # fmt: skip


def work_numbers():
    rng = random.Random(1)
    numbers = [rng.randrange(100) for _ in range(30)] + [rng.gauss(0, 1), rng.betavariate(1, 2)]
    rng.shuffle(numbers)
    return (
        numbers, rng.sample(range(100), 5), rng.choices("abc", k=5), statistics.mean(numbers),
        statistics.quantiles(numbers), statistics.stdev(numbers), statistics.NormalDist(1, 2).cdf(1.5),
        fractions.Fraction("3/7") ** 3 + fractions.Fraction(1.5), str(fractions.Fraction(1, 3).limit_denominator(2)),
        list(heapq.merge([1, 4], [2, 3])), heapq.nlargest(2, [1, 5, 3]), collections.Counter("abca").most_common(),
        decimal.Decimal("1.1") + 1, calendar.TextCalendar().formatmonth(2024, 2),
        ipaddress.ip_network("10.0.0.0/29").num_addresses, list(ipaddress.ip_network("10.0.0.0/30").hosts()),
        ipaddress.ip_address("::1").exploded, uuid.UUID(int=5), base64.b85encode(b"hello"), base64.b32encode(b"x"),
    )  # fmt: skip


def work_arguments():
    parser = argparse.ArgumentParser("prog", description="Does " + "things " * 30)
    parser.add_argument("--a", type=int, choices=[1, 2, 3], help="an a")
    parser.add_argument("b", nargs="*", default=["x"])
    group = parser.add_mutually_exclusive_group()
    group.add_argument("-v", action="store_true")
    group.add_argument("-q", action="count")
    children = parser.add_argument_group("group").add_argument("--list", nargs="+", action="append")
    outcomes = [parser.format_help(), parser.format_usage(), children.dest]
    for arguments in (
        ["--a", "3", "x", "y"],
        ["-v", "-q"],
        ["--a", "9"],
        ["--list", "1", "2", "--list", "3"],
    ):
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors):
            try:
                outcomes.append(str(parser.parse_args(arguments)))
            except SystemExit as error:
                outcomes.append((error.code, errors.getvalue()))
    config = configparser.ConfigParser()
    config.read_string("[a]\nb=1\nc=%(b)s2\n[d]\ne: x\n  y\n")
    outcomes += [config.get("a", "c"), config.getint("a", "b"), dict(config["d"])]
    out = io.StringIO()
    config.write(out)
    rows = csv.DictWriter(out, ["a", "b"])
    rows.writeheader()
    rows.writerow({"a": 1, "b": "x,y"})
    outcomes += [
        list(csv.DictReader(io.StringIO("a,b\n1,2\n"))),
        str(csv.Sniffer().sniff("a;b\n1;2\n").delimiter),
    ]
    return outcomes, out.getvalue()


def work_async():
    log = []

    async def produce(q):
        for number in range(5):
            await q.put(number)
            await asyncio.sleep(0)

    async def consume(q):
        return [await q.get() for _ in range(5)]

    async def fail():
        await asyncio.sleep(0)
        raise ValueError("no")

    async def locked(lock, event, name):
        async with lock:
            log.append(name)
            await asyncio.sleep(0)
        await event.wait()

    async def agen():
        try:
            yield 1
            yield 2
        finally:
            log.append("closed")

    async def echo(reader, writer):
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()

    async def main():
        q, lock, event = asyncio.Queue(2), asyncio.Lock(), asyncio.Event()
        out = list(await asyncio.gather(produce(q), consume(q)))
        out.append([repr(one) for one in await asyncio.gather(fail(), fail(), return_exceptions=True)])
        tasks = [asyncio.ensure_future(locked(lock, event, name)) for name in "ab"]
        await asyncio.sleep(0)
        event.set()
        await asyncio.wait(tasks)
        try:
            await asyncio.wait_for(asyncio.sleep(60), 0.01)
        except asyncio.TimeoutError:
            out.append("timeout")
        async for one in agen():
            out.append(one)
            break
        loop = asyncio.get_running_loop()
        out.append(await loop.run_in_executor(None, lambda: 7))
        server = await asyncio.start_server(echo, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(b"hello\n")
        out.append(await reader.readline())
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", "print(5)", stdout=asyncio.subprocess.PIPE
        )
        out.append(await process.communicate())
        semaphore = asyncio.Semaphore(1)
        async with semaphore:
            out.append(semaphore.locked())
        task = asyncio.create_task(asyncio.sleep(50))
        await asyncio.sleep(0)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            out.append(task.cancelled())
        out.append(await asyncio.shield(asyncio.sleep(0, 5)))
        return out

    return asyncio.run(main()), log


def work_threads():
    with concurrent.futures.ThreadPoolExecutor(3) as executor:
        squares = list(executor.map(lambda n: n * n, range(20)))
        failing = executor.submit(lambda: 1 // 0)
        error = repr(failing.exception())
    q = queue.PriorityQueue()
    condition, barrier, results = threading.Condition(), threading.Barrier(3), []

    def work(n):
        barrier.wait()
        q.put((n, str(n)))
        with condition:
            results.append(n)
            condition.notify_all()

    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    with condition:
        condition.wait_for(lambda: len(results) == 3)
    for thread in threads:
        thread.join()
    timer = threading.Timer(0, results.append, (9,))
    timer.start()
    timer.join()
    local = threading.local()
    local.x = 1
    scheduler = sched.scheduler(time.monotonic, lambda seconds: None)
    scheduler.enter(0, 1, results.append, (10,))
    scheduler.run()
    with multiprocessing.pool.ThreadPool(2) as pool:
        mapped = pool.map(abs, [-1, -2])
    return squares, error, [q.get() for _ in range(3)], sorted(results), mapped


def work_documents():
    class Parser(html.parser.HTMLParser):
        def __init__(self):
            super().__init__()
            self.seen = []

        def handle_starttag(self, tag, attributes):
            self.seen.append((tag, attributes))

        def handle_data(self, data):
            self.seen.append(data)

    parser = Parser()
    parser.feed("<p class='a'>x &amp; y<br/><!-- c --></p><script>1<2</script>")
    tree = xml.etree.ElementTree.fromstring('<a><b c="1">t</b><b/></a>')
    xml.etree.ElementTree.indent(tree)
    message = email.parser.Parser(policy=email.policy.default).parsestr(
        'From: "A" <a@b.c>\nSubject: =?utf-8?q?h=C3=A9?=\nContent-Type: multipart/mixed; boundary=x\n\n'
        "--x\n\nhello\n--x\nContent-Type: text/html\n\n<p>\n--x--\n"
    )
    made = email.message.EmailMessage()
    made["Subject"] = "é" * 40
    made["To"] = "a@example.org, B <b@example.org>"
    made.set_content("text é")
    made.add_attachment(b"123", maintype="a", subtype="b", filename="f", cte="base64")
    made.set_boundary("fixed")
    return (
        parser.seen, xml.etree.ElementTree.tostring(tree), [one.get("c") for one in tree.iterfind(".//b")],
        xml.dom.minidom.parseString("<a><b>t</b></a>").toprettyxml(), message["subject"], message["from"].addresses,
        [part.get_content() for part in message.iter_parts()], made.as_bytes(),
        urllib.parse.urlsplit("http://u:p@h:1/a;b?c=d#e"), urllib.parse.parse_qs("a=1&a=2"),
        urllib.parse.urljoin("http://a/b/c", "../d"), urllib.parse.quote("é /"), urllib.parse.urlencode({"a": [1]}),
    )  # fmt: skip


def work_files():
    out = []
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "a.txt")
        with open(path, "w") as file:
            file.write("x" * 1000)
        os.utime(path, (1e9, 1e9))
        with zipfile.ZipFile(os.path.join(folder, "z.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(path, "inside/a.txt")
        with zipfile.ZipFile(os.path.join(folder, "z.zip")) as archive:
            out += [archive.namelist(), archive.read("inside/a.txt"), archive.testzip()]
        with tarfile.open(os.path.join(folder, "t.tar.gz"), "w:gz") as archive:
            archive.add(path, "a")
        with tarfile.open(os.path.join(folder, "t.tar.gz")) as archive:
            out += [archive.getnames(), archive.extractfile("a").read()]
        shutil.copytree(folder, os.path.join(folder, "copy"))
        out.append(sorted(os.path.relpath(one, folder) for one in glob.glob(folder + "/**", recursive=True)))
        shutil.rmtree(os.path.join(folder, "copy"))
        database = sqlite3.connect(os.path.join(folder, "d.sqlite"))
        database.execute("create table t (a, b)")
        database.execute("insert into t values (1, 'x')")
        out += [database.execute("select * from t").fetchall(), list(database.iterdump())]
        database.close()
    return out


def work_objects():
    class Color(enum.Enum):
        RED = 1
        GREEN = enum.auto()

    class Flags(enum.Flag):
        A = 1
        B = 2

    value = {"a": list(range(30)), "b": {"c": [1] * 20}, "d": collections.OrderedDict(x=1)}
    out = io.StringIO()
    pickletools.dis(pickle.dumps([1, "a", None], 2), out)
    pickled = io.BytesIO()
    pickle._Pickler(pickled, 4).dump(value)
    sorter = graphlib.TopologicalSorter({"b": ["a"], "c": ["b"]})
    single = functools.singledispatch(lambda one: "any")
    single.register(int, lambda one: "int")
    point = collections.namedtuple("Point", "x y")(1, 2)
    return (
        list(Color), Color["RED"], repr(Flags.A | Flags.B), pprint.pformat(value), copy.deepcopy(value), out.getvalue(),
        pickle._Unpickler(io.BytesIO(pickled.getvalue())).load(), list(sorter.static_order()), single(1), single(""),
        functools.reduce(lambda a, b: a + b, [1, 2]), point._replace(x=5), collections.ChainMap({1: 2}, {3: 4})[3],
        functools.cmp_to_key(lambda a, b: a - b)(1) < functools.cmp_to_key(lambda a, b: a - b)(2),
        datetime.datetime(2024, 1, 2).isoformat(), locale.format_string("%d", 5), typing.get_type_hints(pprint.pformat),
    )  # fmt: skip


def work_failing():
    out = []
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.suppress(ZeroDivisionError))
        stack.callback(out.append, "callback")
        1 / 0
    for failing in (
        lambda: json.loads("{bad"),
        lambda: fractions.Fraction("x"),
        lambda: ast.literal_eval("a+1"),
    ):
        try:
            failing()
        except Exception as error:
            out.append(
                [(one.name, one.lineno, one.line) for one in traceback.extract_tb(error.__traceback__)][1:]
            )
            out.append(traceback.format_exception_only(type(error), error))

    class Case(unittest.TestCase):
        def test_equal(self):
            self.assertEqual([1, {2: 3}], [1, {2: 4}])

        def test_raises(self):
            with self.assertRaisesRegex(ValueError, "x"):
                raise ValueError("x")

        def test_sub(self):
            for n in range(2):
                with self.subTest(n=n):
                    self.assertTrue(n)

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(Case).run(result)
    out.append([text.replace(__file__, "") for _, text in result.failures])
    stream = io.StringIO()
    logger = logging.Logger("x")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s %(funcName)s"))
    logger.addHandler(handler)
    try:
        1 / 0
    except ZeroDivisionError:
        logger.exception("failed %s", 1)
    out.append(stream.getvalue())
    return out


def work_network():
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[::-1])

        def log_message(self, *arguments):
            pass

    class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
        daemon_threads = True

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    out = []
    try:
        port = server.server_address[1]
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for body in ("abc", "x" * 5000):
            connection.request("POST", "/p", body)
            out.append(connection.getresponse().read())
        connection.close()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{port}/q", data=b"123", timeout=30) as answer:
            out.append((answer.status, answer.read()))
        try:
            opener.open(f"http://127.0.0.1:{port}/", timeout=30)
        except OSError as error:
            out.append((error.code, error.close()))
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    a, b = socket.socketpair()
    with selectors.DefaultSelector() as selector, a, b:
        selector.register(a, selectors.EVENT_READ)
        b.send(b"x")
        out.append(len(selector.select(5)))
    return out


WORK = [value for name, value in list(globals().items()) if name.startswith("work_")]


def normal(value):
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))


def tree(code):
    yield code
    for _, child in nested(code):
        yield from tree(child)


def every_line(hook):
    """Every line of the library that is in memory, by file; and the number of its code objects."""
    hooks, count = {}, 0
    for one in gc.get_objects():
        if type(one) is types.FunctionType:
            filename = one.__code__.co_filename
            if filename.startswith(LIBRARY) and "site-packages" not in filename:
                for code in tree(one.__code__):
                    hooks.setdefault(filename, {}).update(dict.fromkeys(lines_of(code), hook))
                    count += 1
    return hooks, count


def main():
    sys.setrecursionlimit(5000)
    for work in WORK:
        work()  # for caches and late imports
    before = [normal(work()) for work in WORK]
    hits = []
    hooks, functions = every_line(functools.partial(hits.append, None))
    failures = []
    swapper = Swapper(on_failure=failures.append)
    swapper.apply(hooks)
    during = [normal(work()) for work in WORK]
    swapper.clear()
    after = [normal(work()) for work in WORK]
    differing = {}
    for work, *three in zip(WORK, before, during, after):
        if len(set(three)) > 1:
            at = len(os.path.commonprefix(three))
            differing[work.__name__] = [text[max(at - 100, 0) : at + 200] for text in three]
    print(
        json.dumps(
            {"functions": functions, "hits": len(hits), "differing": differing, "failures": len(failures)}
        )
    )


main()
