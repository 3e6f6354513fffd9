"""Nothing lost, nobody let in: small memory, strange folders, pipes and links, letters that move a cursor."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from computemarket.analysis.uncertainty.sensitivity import varies
from computemarket.commands.targets import whole_folder
from computemarket.errors import InputError, is_memory
from computemarket.model.core.given_files import read_given
from computemarket.scenarios.batches.batch import run_study
from computemarket.scenarios.batches.ensemble import prepare, simulate_to
from computemarket.scenarios.batches.executor import Inline
from computemarket.scenarios.results.query import Limits, ask
from computemarket.scenarios.schema import load_scenario
from computemarket.scenarios.studies.study import load_study, read_study
from computemarket.terminal import printable

MEGABYTE = 2**20
PLAIN = {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trust") / "run"
    simulate_to(folder, prepare("baseline", until="2022Q4"), 2)
    return folder


@pytest.fixture(scope="module")
def batch(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trust") / "batch"
    run_study(
        read_study(
            b'scenarios = ["baseline"]\nruns = 3\nuntil = "2022Q2"\nrecording = ["utilisation"]',
            "s.toml",
            Path(),
        ),
        folder,
        Inline(),
    )
    return folder


def called(*arguments, megabytes=0, environment=None, timeout=60, **options):
    """Run the program in a process of its own: (exit code, stdout, stderr)."""

    def limit():
        if megabytes:
            resource.setrlimit(resource.RLIMIT_AS, (megabytes * MEGABYTE, megabytes * MEGABYTE))

    import computemarket

    here = str(Path(computemarket.__file__).parents[1])
    path = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "computemarket", *map(str, arguments)],
        capture_output=True, text=True, errors="replace", timeout=timeout, preexec_fn=limit, check=False,
        env=dict(os.environ) | {"PYTHONPATH": path} | (environment or {}), **options,
    )  # fmt: skip
    return done.returncode, done.stdout, done.stderr


def one_line(answer, words=""):
    code, out, err = answer
    assert (code, out) == (2, ""), (code, out[-300:], err[-600:])
    assert (err.count("\n"), err.startswith("computemarket: ")) == (1, True), err
    assert words in err


@pytest.mark.parametrize("command", ["facts", "export", "report", "query"])
def test_too_little_memory_is_one_line_that_speaks_of_it(run, batch, tmp_path, command):
    arguments = {
        "facts": (run,), "export": (run, "--out", tmp_path / "t.csv"), "report": (run, "--out", tmp_path / "r"),
        "query": (batch, "select 1"),
    }  # fmt: skip
    one_line(called(command, *arguments[command], megabytes=260), "memory")
    assert list(tmp_path.iterdir()) == []


def test_a_question_is_answered_in_little_memory(batch):
    code, out, err = called("query", batch, "select count(*) as n from results", megabytes=900)
    assert (code, err) == (0, "")
    assert out.split()[-1] == "6"


def test_memory_that_lacks_is_told_from_damage(monkeypatch, batch):
    def short(_path):
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr("pyarrow.parquet.read_metadata", short)
    with pytest.raises(MemoryError):
        ask(batch, "select 1")


@pytest.mark.parametrize(
    ("error", "so"),
    [(MemoryError(), True), (OSError(12, "x"), True), (ImportError("a.so: failed to map segment"), True),
     (ValueError("malloc of size 8 failed"), True), (ValueError("a"), False), (OSError(28, "No space left"), False)],
)  # fmt: skip
def test_what_libraries_say_of_memory_is_understood(error, so):
    assert is_memory(error) is so
    wrapped = InputError("where", 1, "2")
    wrapped.__cause__ = error
    assert is_memory(wrapped) is so


def test_a_question_without_end_is_stopped(batch):
    sql = "select sum(a.range * b.range) from range(10000000) a, range(10000000) b"
    with pytest.raises(InputError, match=r"answered within 0\.2 s"):
        ask(batch, sql, Limits(seconds=0.2))
    one_line(called("query", batch, sql, "--timeout", "0.5"), "answered within 0.5 s")


@pytest.mark.parametrize("options", [("--timeout", "0"), ("--timeout", "nan"), ("--memory", "1")])
def test_limits_of_a_question_are_limits(batch, command, options):
    one_line(command("query", batch, "select 1", *options), options[0])


def test_sql_never_names_the_folder_of_a_user(batch):
    for sql in ("select * from read_csv('~/.bashrc')", "select * from 'a.json'", "select * from sqlite_scan('a', 'b')",
                "load httpfs", "select current_setting('home_directory')"):  # fmt: skip
        try:
            said = str(ask(batch, sql).to_pylist())
        except InputError as error:
            said = str(error)
        assert str(Path.home()) not in said


def test_text_that_moves_a_cursor_shows_question_marks():
    assert printable("a\x1b[2Jb\rc\u202ed\n\t–×") == "a?[2Jb?c?d\n\t–×"
    assert printable("\x1b[31mred\x1b[0m", colours=True) == "\x1b[31mred\x1b[0m"
    assert printable("\x1b]0;title\x07", colours=True) == "?]0;title?"
    assert str(InputError("a\x1b[2J", "b\x07", "c\x9b")) == "a?[2J: 'b\\x07' is not c?"


def test_a_folder_named_with_controls_moves_no_cursor(run, tmp_path, command):
    code, out, err = command("export", run, "--out", tmp_path / "\x1b[2Jt.csv")
    assert (code, "\x1b" in out + err, "t.csv" in out) == (0, False, True)
    assert "\x1b" not in command("facts", tmp_path / "\x1b[2J")[2]


@pytest.mark.parametrize(
    "arguments",
    [("run", "baseline", "--runs", "2", "--until", "2022Q4", "--workers", "1", "--out", "o"), ("facts", "RUN"),
     ("parameters",), ("frontier", "--model", "deepseek_r1", "--accelerators", "nvidia_h100_sxm")],
)  # fmt: skip
def test_an_output_that_holds_ascii_alone_gets_ascii(run, tmp_path, arguments):
    words = [run if word == "RUN" else word for word in arguments]
    for encoding in ({}, {"PYTHONIOENCODING": "latin-1"}):
        code, out, err = called(*words, environment=PLAIN | encoding, cwd=tmp_path)
        assert (code, err) == (0, "")
        assert encoding or out.isascii()


def test_a_home_that_is_none_and_a_path_too_long_are_no_error_of_ours(run, tmp_path):
    code, _, err = called(
        "facts", run, environment={"HOME": "/nonexistent", "XDG_CACHE_HOME": "/nonexistent"}
    )
    assert (code, err) == (0, "")
    long = tmp_path / "/".join(["d" * 200] * 20) / ("f" * 96)
    one_line(called("facts", long))
    one_line(called("export", run, "--out", long), "name too long")
    one_line(called("run", "baseline", "--runs", "1", "--until", "2022Q1", "--out", long), "name too long")


@pytest.mark.parametrize("place", ["", "/", "full"])
@pytest.mark.parametrize(
    "words",
    [("run", "baseline", "--runs", "1", "--until", "2022Q1"), ("report", "RUN"),
     ("compare", "baseline", "demand_stall"), ("batch", "example", "--workers", "1"), ("sensitivity", "BATCH"),
     ("export", "RUN")],
)  # fmt: skip
def test_no_command_writes_among_other_things(run, batch, tmp_path, command, monkeypatch, words, place):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("years of work")
    chosen = [{"RUN": run, "BATCH": batch}.get(word, word) for word in words]
    one_line(command(*chosen, "--out", place), "--out")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["full", "thesis.txt"]


def half_written(target):
    with whole_folder(target, ("index.html",)) as stage:
        (stage / "index.html").write_text("half")
        raise OSError(28, "No space left on device")


def test_a_report_is_there_whole_or_as_it_was(tmp_path):
    target = tmp_path / "report"
    with whole_folder(target, ("index.html",)) as stage:
        (stage / "index.html").write_text("first")
    with pytest.raises(InputError, match="No space left"):
        half_written(target)
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == [
        "report",
        "report/index.html",
    ]
    assert (target / "index.html").read_text() == "first"
    (tmp_path / ".report.part").mkdir()  # of a killed command
    (tmp_path / ".report.part" / "half").write_text("half")
    with whole_folder(target, ("index.html",)) as stage:
        assert list(stage.iterdir()) == []
        (stage / "index.html").write_text("second")
    assert (target / "index.html").read_text() == "second"
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


def test_a_report_that_was_moved_out_of_the_way_by_a_killed_command_comes_back(tmp_path):
    (tmp_path / ".report.part-old").mkdir()
    (tmp_path / ".report.part-old" / "index.html").write_text("first")
    with pytest.raises(ZeroDivisionError), whole_folder(tmp_path / "report", ("index.html",)):
        raise ZeroDivisionError
    assert (tmp_path / "report" / "index.html").read_text() == "first"


def test_two_commands_do_not_write_one_report(tmp_path):
    with whole_folder(tmp_path / "report", ()), pytest.raises(InputError, match="another process"):
        half_written(tmp_path / "report")


def test_an_export_that_is_killed_leaves_nothing(run, tmp_path):
    code = (
        "import os, signal\nfrom pathlib import Path\nfrom computemarket.analysis.exchange import files\n"
        "import pandas as pd\n"
        "def tables():\n    yield pd.DataFrame({'a': [1]})\n    os.kill(os.getpid(), signal.SIGKILL)\n"
        f"files.write_csv(Path({str(tmp_path / 't.csv')!r}), tables())\n"
    )
    import computemarket

    here = str(Path(computemarket.__file__).parents[1])
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], env=dict(os.environ) | {"PYTHONPATH": here}, check=False
    )
    assert (done.returncode, list(tmp_path.iterdir())) == (-9, [])


def test_pipes_and_devices_are_never_waited_for(tmp_path, command):
    os.mkfifo(tmp_path / "pipe.toml")
    os.mkfifo(tmp_path / "manifest.json")
    for path in (tmp_path / "pipe.toml", "/dev/zero", "/dev/stdin"):
        with pytest.raises(InputError, match="a regular file"):
            read_given(Path(path), "scenario", 100)
    for arguments in (
        ("run", tmp_path / "pipe.toml"), ("batch", tmp_path / "pipe.toml"), ("facts", tmp_path),
        ("performance", tmp_path / "pipe.toml"), ("published", tmp_path / "pipe.toml"),
        ("classify", tmp_path / "pipe.toml"),
    ):  # fmt: skip
        one_line(command(*arguments))


def test_nothing_is_read_through_a_link_that_leads_elsewhere(tmp_path):
    secret = tmp_path / "secret.toml"
    secret.write_text('password = "hunter2"\n')
    inside = tmp_path / "inside"
    (inside / "below").mkdir(parents=True)
    (inside / "link.toml").symlink_to(secret)
    (inside / "folder").symlink_to(tmp_path)
    (inside / "below" / "mine.toml").write_text('extends = "baseline"\n')
    for name in ("link.toml", "folder/secret.toml"):
        (inside / "a.toml").write_text(f'extends = "{name}"\n')
        (inside / "b.toml").write_text(f'extends = "baseline"\nregimes = ["{name}"]\n')
        (inside / "s.toml").write_text(f'scenarios = ["{name}"]\nruns = 1\n')
        for load, file in ((load_scenario, "a.toml"), (load_scenario, "b.toml"), (load_study, "s.toml")):
            with pytest.raises(InputError, match="beside the one that names it") as told:
                load(inside / file)
            assert "hunter2" not in str(told.value)
            assert "password" not in str(told.value)
    (inside / "s.toml").write_text('scenarios = ["/etc/passwd.toml"]\nruns = 1\n')
    with pytest.raises(InputError, match="beside the study"):
        load_study(inside / "s.toml")
    (inside / "a.toml").write_text('extends = "below/mine.toml"\n')
    assert load_scenario(inside / "a.toml").settings == load_scenario("baseline").settings


@pytest.mark.parametrize("kind", ["scenario", "study"])
def test_descriptions_are_short_and_formats_are_known(tmp_path, kind):
    load, base = {
        "scenario": (load_scenario, 'extends = "baseline"\n'),
        "study": (load_study, 'scenarios = ["baseline"]\nruns = 1\nrecording = "full"\n'),
    }[kind]  # fmt: skip
    path = tmp_path / "mine.toml"
    for line, words in (
        (f'description = "{"x" * 2001}"', "at most 2,000 letters"), ("format = 2", "1, the format that this version"),
        ('format = "1"', "1, the format"), ("format = true", "1, the format"),
    ):  # fmt: skip
        path.write_text(line + "\n" + base)
        with pytest.raises(InputError, match=words):
            load(path)
    path.write_text("format = 1\n" + base)
    load(path)
    path.write_text("#" * 3_000_000 + "\n" + base)
    with pytest.raises(InputError, match=r"at most [12],000,000 bytes"):
        load(path)


def test_what_differs_in_its_last_digits_does_not_vary(tmp_path, command):
    assert not varies(np.array([80.0, 80.0 * (1 + 1e-14)]))
    assert not varies(np.zeros(3))
    assert varies(np.array([80.0, 80.001]))


def test_a_limit_that_says_nothing_is_refused(batch, command, tmp_path):
    answer = command("sensitivity", batch, "--outcome", "utilisation < -5", "--out", tmp_path / "s")
    one_line(answer, "an outcome without a limit (< -5)")
