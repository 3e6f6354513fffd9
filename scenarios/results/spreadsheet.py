"""Text from results in a table that a spreadsheet opens: no cell of it may act as a formula.

The rules are those of the OWASP page on CSV injection.
"""

_FORMULA = ("=", "+", "-", "@", "|", "%")


def harmless(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula; numbers stay as they are.

    Letters that do not print (tabs, returns, ends of lines) become spaces: a bare return would begin a new row where a
    reader takes it for one. Text that then begins like a formula gets an apostrophe.
    """
    if not isinstance(value, str):
        return value
    text = value if value.isprintable() else "".join(one if one.isprintable() else " " for one in value)
    return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
