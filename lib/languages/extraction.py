"""How messages are taken from the code, from the rooms below and from notebooks: what `make words` asks (pyproject.toml, tool.babel).

Babel's own reader of Python sees no message within an f-string before Python 3.12, and takes no text that nobody marked.
"""

from __future__ import annotations

__all__ = ["ABOUT_FILES", "AGREEMENT", "NOTE", "marked", "notes", "paragraphs", "prose"]

import ast
import io
import itertools
import json
import re
from collections.abc import Iterator
from typing import IO, Any

Found = Iterator[tuple[int, str, Any, list[str]]]
# By these comments a catalogue tells the texts of the rooms below from messages: what is put into a note is worded too, what is put
# into a message on somebody's file are names of theirs.
NOTE, ABOUT_FILES = "note", "about files"
SENTENCE = re.compile(r"[A-Za-z]{2,}[,:;)]? [(A-Za-z{]|^[A-Z][a-z]{2,}")
# Patterns and lists of names that are looked for in tables, which nobody reads: regular expressions, other scripts, column names.
WORDS_TO_FIND = re.compile(r"\\|\||[\u2e80-\U0002ffff]|^[A-Z0-9_]+( [A-Z0-9_]+)*$|^(?=\S*_|.* \S*_)[a-z0-9_]+( [a-z0-9_]+)+$")
# What English says by number, and other languages in ways of their own.
AGREEMENT = {"", "s", "is", "are", "has", "have", "was", "were", "does", "do", "it", "they"}


def marked(file: IO[bytes], keywords: Any, comment_tags: Any, options: Any) -> Found:
    """Messages that the code marks: `_`, `N_`, `Nn_`, `ngettext`."""
    for node in ast.walk(ast.parse(file.read())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in keywords:
            texts = [argument.value for argument in node.args if isinstance(argument, ast.Constant) and isinstance(argument.value, str)]
            if texts:
                yield node.lineno, node.func.id, tuple(texts) if len(texts) > 1 else texts[0], []


def notes(file: IO[bytes], keywords: Any, comment_tags: Any, options: Any) -> Found:
    """Texts of the rooms below: strings with words, but for docstrings; what is put in becomes `{name}`.

    Errors are left out, unless `errors` is an option: those of a room whose errors are told to users.
    """
    source = file.read()
    yield from marked(io.BytesIO(source), keywords, comment_tags, options)
    for node in _spoken(ast.parse(source), errors="errors" in options):
        message = _message(node)
        own = re.sub(r"\{\w+\}", "", message)
        if SENTENCE.search(re.sub(r"\{\w+\}", "{}", message)) and not WORDS_TO_FIND.search(message) and "{" not in own and "}" not in own:
            yield node.lineno, "_", message, [ABOUT_FILES if "errors" in options else NOTE]


def prose(file: IO[bytes], keywords: Any, comment_tags: Any, options: Any) -> Found:
    """Paragraphs of the markdown cells of a notebook."""
    for number, cell in enumerate(json.load(file)["cells"], 1):
        if cell["cell_type"] == "markdown":
            yield from ((number, "_", text, []) for _, text in paragraphs("".join(cell["source"])))


def paragraphs(source: str) -> list[tuple[str, str]]:
    """Paragraphs of a markdown cell: the marks of a heading ("## ", or ""), and the text."""
    found = [re.match(r"(#{1,6} |)(.*)", part, re.DOTALL) for part in source.split("\n\n") if part.strip()]
    return [(part[1], part[2]) for part in found if part]


def _spoken(node: ast.AST, errors: bool) -> Iterator[ast.Constant | ast.JoinedStr]:
    for child in ast.iter_child_nodes(node):
        exports = isinstance(child, ast.Assign) and ast.unparse(child.targets[0]) == "__all__"
        if exports or (isinstance(child, ast.Raise) and not errors) or (isinstance(child, ast.Expr) and isinstance(child.value, ast.Constant)):
            continue
        if isinstance(child, ast.JoinedStr):
            yield child
            yield from (found for value in child.values if isinstance(value, ast.FormattedValue) for found in _spoken(value, errors))
        elif isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield child
        else:
            yield from _spoken(child, errors)


def _message(node: ast.Constant | ast.JoinedStr) -> str:
    if isinstance(node, ast.Constant):
        arguments = itertools.chain(["{value}"], (f"{{value{number}}}" for number in itertools.count(2)))
        return re.sub(r"\{\}", lambda _: next(arguments), str(node.value))
    parts, names = [], []
    for value in node.values:
        if isinstance(value, ast.FormattedValue):
            names.append(_name(value.value))
            number = names.count(names[-1])
            parts.append(f"{{{names[-1]}{number if number > 1 else ''}}}")
        elif isinstance(value, ast.Constant):
            parts.append(str(value.value))
    return "".join(parts)


def _name(value: ast.expr) -> str:
    """What an argument is called: the first name of its expression; "en" where it is a matter of English ("is" or "are")."""
    if isinstance(value, ast.IfExp) and all(isinstance(part, ast.Constant) and part.value in AGREEMENT for part in (value.body, value.orelse)):
        return "en"
    named = [node.id if isinstance(node, ast.Name) else node.attr for node in ast.walk(value) if isinstance(node, ast.Name | ast.Attribute)]
    return re.sub(r"\W|\d", "", named[0]).strip("_").lower() or "value" if named else "value"
