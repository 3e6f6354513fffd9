"""Figures that commands draw: each there whole or not there."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

FORMATS = (".png", ".svg", ".pdf")


@contextmanager
def figure_file(target: Path, option: str = "--out") -> Iterator[Path]:
    """Give a hidden file to draw into, which takes the place of `target` in the end, or goes again.

    Raises
    ------
    InputError
        if the file cannot be written.
    """
    from computemarket.errors import InputError

    if target.suffix not in FORMATS:
        raise InputError(option, str(target), f"a file that ends in {', '.join(FORMATS)}")
    hidden = target.with_name(f".{target.stem}.part{target.suffix}")  # its end says what is to be drawn
    try:
        yield hidden
        hidden.replace(target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise InputError(option, str(target), f"a figure that can be written ({reason})") from error
    finally:
        with suppress(OSError):
            hidden.unlink(missing_ok=True)
