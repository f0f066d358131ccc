from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml
from click.testing import CliRunner
from jsonschema import Draft202012Validator

from reconciler.commands import schema
from reconciler.commands.sandbox import group
from reconciler.errors import InputError, UsageError
from reconciler.sandbox.trouble import answers, files
from reconciler.sandbox.trouble.lag import Lag
from reconciler.sandbox.trouble.settings import (
    NO_TROUBLE,
    Latency,
    Quota,
    Size,
    Throttled,
    Wait,
)

ROOT = Path(__file__).parents[2]
SCHEMA = json.loads((ROOT / "schema" / "faults.schema.json").read_text(encoding="utf-8"))
SERVE = "import sys; from reconciler.commands.sandbox import group; group(sys.argv[1:])"
LATENCY = "must be seconds, a mapping with mean and jitter, or a list of such"


def _written(folder: Path, text: str | bytes) -> Path:
    path = folder / "faults.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_a_file_that_asks_for_nothing_gives_no_trouble(tmp_path: Path) -> None:
    """Everything is off by default."""
    assert files.load(_written(tmp_path, "version: 1\n")) == NO_TROUBLE


def test_every_part_is_read(tmp_path: Path) -> None:
    """What the file says arrives as values."""
    path = _written(
        tmp_path,
        "version: 1\n"
        "seed: 7\n"
        "latency: {mean: 0.2, jitter: 0.1}\n"
        "lag: {directory: 5, index: 15.5, pim: 60, seats: 30, licenses: 2}\n"
        "quota:\n"
        "  size: L\n"
        "  scale: {time: 0.1, amount: 0.01}\n"
        "  retryAfter: fractional\n"
        "  code: Request_ThrottledTemporarily\n"
        "directoryQuota: 250\n"
        "faults:\n"
        "  - &three {request: POST /users, nth: 3, answer: 503, moment: after}\n"
        "  - *three\n"
        "  - {request: 'POST /$batch', answer: 429, message: '503', inBatch: false}\n",
    )
    trouble = files.load(path)
    assert (trouble.seed, trouble.latency) == (7, (Latency(0.2, 0.1),))
    assert trouble.lag == Lag(5, 15.5, 60, 30, 2)
    assert trouble.quota == Quota(Size.L, 0.1, 0.01, Wait.FRACTIONAL, Throttled.TEMPORARILY)
    assert trouble.directory_quota == 250
    first, second, third = trouble.faults
    assert first == second
    assert (first.nth, first.answer, first.is_after, first.wait) == ((3,), 503, True, None)
    assert (third.message, third.in_batch, third.wait) == ("503", False, 10.0)


def test_an_empty_quota_is_graphs_own(tmp_path: Path) -> None:
    """`{}` turns quotas on as they are."""
    assert files.load(_written(tmp_path, "version: 1\nquota: {}\n")).quota == Quota()


@pytest.mark.parametrize(
    ("text", "place", "summary", "hint"),
    [
        ("", "1:1", "the file is empty", "see docs/sandbox.md for an example"),
        ("- 1\n", "1:1", "the file must be a mapping of keys to values", None),
        ("seed: 1\n", "1:1", "'version' is missing", 'for example, {"version": 1, "latency": 0.2}'),
        ("version: 2\n", "1:10", "version must be 1", "for example, version: 1"),
        (
            "version: 1\nlatancy: 1\n",
            "2:1",
            "unknown key 'latancy'",
            "did you mean 'latency'?",
        ),
        (
            "version: 1\nlag: {everything: 1}\n",
            "2:7",
            "unknown key 'everything'",
            "known here: directory, index, licenses, pim, seats",
        ),
        ("version: 1\nseed: x\n", "2:7", "seed must be a whole number", "for example, seed: 7"),
        ("version: 1\nlatency: -1\n", "2:10", f"latency {LATENCY}", "for example, latency: 0.2"),
        ("version: 1\nlatency: ~\n", "2:10", f"latency {LATENCY}", "for example, latency: 0.2"),
        (
            "version: 1\nlatency:\n  - {mean: 1}\n",
            "3:5",
            "'request' is missing in item 1 of latency",
            'for example, {"request": "GET /users/**", "mean": 0.2}',
        ),
        (
            "version: 1\nlag: {pim: soon}\n",
            "2:12",
            "pim must be seconds, 0 or more",
            "for example, pim: 0.5",
        ),
        (
            "version: 1\nquota: {size: XL}\n",
            "2:15",
            "size must be S, M or L",
            'for example, size: "S"',
        ),
        (
            "version: 1\nquota: {scale: {time: 0}}\n",
            "2:23",
            "time must be a number above 0",
            "for example, time: 0.1",
        ),
        (
            "version: 1\nfaults:\n  - request: POST /users\n",
            "3:5",
            "item 1 of faults needs an answer, or a delay",
            None,
        ),
        (
            "version: 1\nfaults:\n  - {request: post /users, answer: 503}\n",
            "3:15",
            "request must be methods, a space and a path",
            'for example, request: "POST /users/*/assignLicense"',
        ),
        (
            "version: 1\nfaults:\n  - {request: GET /, answer: 200}\n",
            "3:30",
            (
                "answer must be a status from 400 to 599, expiredToken, claimsChallenge, "
                "expiredPageToken, dropped, truncated or truncatedHeaders"
            ),
            "for example, answer: 503",
        ),
        (
            "version: 1\nfaults:\n  - {request: GET /, delay: 1, nth: [2, 0]}\n",
            "3:41",
            "item 2 of nth must be a whole number from 1",
            "for example, 3",
        ),
        (
            "version: 1\nfaults:\n  - {request: GET /, delay: 1, from: 3, to: 2}\n",
            "3:45",
            "to comes before from",
            "nothing would be struck: swap them",
        ),
        (
            "version: 1\nfaults:\n  - {request: GET /, delay: 1, first: 3, to: 2}\n",
            "3:39",
            "first and to say the same",
            "keep one of them",
        ),
        (
            "version: 1\nfaults:\n  - {request: GET /, answer: truncated, moment: before}\n",
            "3:49",
            "truncated comes after the work",
            "leave moment out: part of the tenant's own reply arrives",
        ),
        ("version: 1\nversion: 1\n", "2:1", "key 'version' is given twice", "keep one of them"),
        ("version: 1\n? [a]\n: 1\n", "2:3", "a key is not text", "put the key in quotes"),
        ("version: !!int 1\n", "1:10", "tag 'tag:yaml.org,2002:int' is not supported", "remove it"),
        ("version: [1\n", "2:1", "this is no YAML: did not find expected ',' or ']'", None),
        ("version: *one\n", "1:10", "this is no YAML: found undefined alias", None),
        ("version: 1\n--- 2\n", "2:1", "this is no YAML: but found another document", None),
        (b"version: \x01\n", "1:1", "the file holds U+0001, which YAML does not allow", None),
        (b"version: \xff\n", "1:1", "the file is not UTF-8", "save it as UTF-8"),
        ("&a [*a]\n", "1:1", "an anchor cannot hold itself", "write out what it means"),
        (
            "[" * 40 + "]" * 40,
            "1:1",
            "the file nests deeper than 32 levels",
            "check its brackets",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_place(
    tmp_path: Path, text: str | bytes, place: str, summary: str, hint: str | None
) -> None:
    """Each mistake has file, line, column, and a remedy."""
    path = _written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        files.load(path)
    (problem,) = caught.value.diagnostics
    assert str(problem).splitlines()[0] == f"{path}:{place}: error: {summary}"
    assert hint is None or problem.hint == hint


def test_a_file_that_stands_for_too_much_is_refused(tmp_path: Path) -> None:
    """Aliases count as all that they stand for; as much written out is fine."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 7)]
    with pytest.raises(InputError, match="aliases stand for more than 100,000 values"):
        files.load(_written(tmp_path, "\n".join(lines)))


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """One mistake does not hide the others."""
    text = "version: 1\nseed: x\nlag: {pim: -1}\nfaults:\n  - {request: GET /, answer: 99}\n"
    with pytest.raises(InputError) as caught:
        files.load(_written(tmp_path, text))
    lines = sorted(d.position.line for d in caught.value.diagnostics if d.position)
    assert lines == [2, 3, 5]


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    """It is named, with the reason."""
    path = tmp_path / "nowhere.yaml"
    with pytest.raises(UsageError) as caught:
        files.load(path)
    assert str(caught.value) == f"cannot read '{path}': no such file or directory"


def test_serve_refuses_a_wrong_file_before_it_serves(tmp_path: Path) -> None:
    """A mistake in the faults file makes no tenant."""
    path, file = _written(tmp_path, "version: 3\n"), tmp_path / "made" / "x.sqlite"
    result = CliRunner().invoke(group, ["serve", "--file", str(file), "--faults", str(path)])
    assert isinstance(result.exception, InputError)
    assert not file.parent.exists()


def test_serve_takes_a_faults_file(tmp_path: Path) -> None:
    """The tenant that is served has the trouble that the file asks for."""
    path = _written(tmp_path, "version: 1\nfaults: [{request: GET /domains, answer: 502}]\n")
    file = str(tmp_path / "sandbox.sqlite")
    command = [sys.executable, "-c", SERVE, "serve", "--file", file, "--faults", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 -- this interpreter
        assert process.stdout
        line = next(each for each in process.stdout if "RECONCILER_GRAPH_URL=" in each)
        (root,) = shlex.split(line.partition("=")[2])
        try:
            assert httpx.get(f"{root}/v1.0/domains").status_code == 502
        finally:
            process.terminate()


def test_the_schema_is_published() -> None:
    """`reconciler schema faults` prints it, and it is a schema."""
    result = CliRunner().invoke(schema.command, ["faults"])
    assert json.loads(result.output) == SCHEMA
    Draft202012Validator.check_schema(SCHEMA)


def test_the_schema_knows_every_answer() -> None:
    """The words that a fault may answer are those of the program."""
    fault = SCHEMA["$defs"]["fault"]["properties"]
    words = fault["answer"]["pattern"].removeprefix("^(?:").removesuffix(")$").split("|")
    assert sorted(words) == sorted(answers.NAMES)


def test_the_page_s_example_is_a_faults_file(tmp_path: Path) -> None:
    """The example in the documentation is read as it stands, and is all of the format."""
    page = (ROOT / "docs" / "sandbox.md").read_text(encoding="utf-8")
    text = page.partition("```yaml\n# faults.yaml")[2].partition("```")[0]
    trouble = files.load(_written(tmp_path, f"# {text}"))
    assert len(trouble.faults) > 3
    assert set(yaml.safe_load(f"# {text}")) == set(SCHEMA["properties"])
