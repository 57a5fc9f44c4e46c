"""IPython's syntax made plain Python with every offset kept: what is no Python becomes blanks of the same length.

Works without IPython, so that a notebook can be read before there is an environment for it.
"""

import re

# Cell magics whose body is Python, run in the notebook's own namespace.
PYTHON_CELL_MAGICS = {"time", "timeit", "capture", "prun", "memit", "mprun", "lprun", "notify", "heat", "wandb", "snakeviz"}
SHELL_CELL_MAGICS = {"bash", "sh", "script", "cmd", "system", "sx"}
# Line magics whose argument is a Python statement that the notebook needs.
PYTHON_LINE_MAGICS = {"time", "timeit", "prun", "memit", "snakeviz"}
# Names that IPython takes as magics without a percent sign, where what follows can be no Python.
AUTOMAGIC = re.compile(
    r"(pip|conda|mamba)\s+(install|list|show|freeze|uninstall)\b"
    r"|(ls|cd|pwd|mkdir|cat|cp|mv|rm|less|more|man)(\s+[\w~./-][^=(\[]*)?$"
    r"|(matplotlib|load_ext|reload_ext|autoreload|config)\s+[\w.]+\s*$"
)
ASSIGNED = re.compile(r"^(\s*[A-Za-z_][\w.\[\]'\", ]*?\s*=\s*)([!%])(?=[\w{/.~$])")
HELP = re.compile(r"^\s*(\?{1,2}[\w.*]+|[\w.*\[\]'\"%]+\?{1,2})\s*(#.*)?$")
MAX_MAGICS = 500


def blank(source):
    """(code, magics): code has the same length and lines as source. A magic is {line, kind, name, text}; kinds are line, cell, shell, help."""
    lines = source.splitlines(True)
    first = next((i for i, line in enumerate(lines) if line.strip()), None)
    if first is not None and lines[first].lstrip().startswith("%%"):
        return _cell_magic(lines, first)
    return _lines(lines, 0)


def _cell_magic(lines, first):
    text = lines[first].strip()
    name = re.match(r"%%(\w*)", text).group(1)
    kind = "shell" if name in SHELL_CELL_MAGICS or text.startswith("%%!") else "cell"
    magic = {"line": first + 1, "kind": kind, "name": name, "text": text}
    if name in PYTHON_CELL_MAGICS:
        body, magics = _lines([_spaces(line) for line in lines[: first + 1]] + lines[first + 1 :], first + 1)
        return body, [magic] + magics
    magic["body"] = "".join(lines[first + 1 :])[:20000]
    return "".join(_spaces(line) for line in lines), [magic]


def _lines(lines, start):
    out = list(lines[:start])
    magics = []
    scanner = Scanner()
    at = start
    while at < len(lines):
        line = lines[at]
        found = _magic(line) if scanner.at_statement() else None
        if found is None:
            scanner.feed(line)
            out.append(line)
            at += 1
            continue
        kind, name, replaced = found
        end = _continued(lines, at) if kind == "shell" or replaced.strip() in ("pass", "0") else at + 1
        text = " ".join(part.strip().rstrip("\\").strip() for part in lines[at:end])
        magics.append({"line": at + 1, "kind": kind, "name": name, "text": text[:2000]})
        out.append(replaced)
        out.extend(_spaces(part) for part in lines[at + 1 : end])
        # Python behind a magic may go on in the next line.
        scanner.feed(replaced)
        at = end
    return "".join(out), magics[:MAX_MAGICS]


def _continued(lines, at):
    end = at + 1
    while end < len(lines) and lines[end - 1].rstrip("\r\n").rstrip().endswith("\\"):
        end += 1
    return end


def _magic(line):
    """(kind, name, the line as Python of the same length), or None where the line is Python already."""
    text = line.strip()
    if not text:
        return None
    if text[0] == "%":
        name = re.match(r"%{1,2}([\w.]*)", text).group(1)
        return "line", name, _timed(line, name) if name in PYTHON_LINE_MAGICS else _passed(line)
    if text[0] == "!":
        return "shell", "!", _passed(line)
    assigned = ASSIGNED.match(line)
    if assigned:
        return _assigned(line, assigned)
    if HELP.match(line) and "?" in text and not text.startswith("#"):
        return "help", "?", _passed(line)
    if AUTOMAGIC.match(text):
        return "line", text.split()[0], _passed(line)
    return None


def _assigned(line, match):
    """`files = !ls` gives a list."""
    head = match.group(1)
    body = line[len(head) :].rstrip("\r\n")
    is_shell = match.group(2) == "!"
    name = "!" if is_shell else re.match(r"%?([\w.]*)", body).group(1)
    return "shell" if is_shell else "line", name, head + "[]" + " " * (len(body) - 2) + line[len(head) + len(body) :]


def _timed(line, name):
    """`%time x = f()` as `if 1: x = f()`: the statement counts, and keeps its column."""
    match = re.match(r"(\s*%%?%s\s)((?:\s*-\w+(?:\s+\d+)?\s)*)(\s*\S.*)" % name, line, re.S)
    if not match:
        return _passed(line)
    indent = len(line) - len(line.lstrip())
    head = len(match.group(1)) + len(match.group(2))
    return line[:indent] + "if 1:".ljust(head - indent) + match.group(3)


def _passed(line):
    """`pass` in the same place, so that a block of magics only is still a block."""
    body = line.rstrip("\r\n")
    indent = len(body) - len(body.lstrip())
    word = "pass" if len(body) - indent >= 4 else "0"
    return body[:indent] + word.ljust(len(body) - indent) + line[len(body) :]


def _spaces(line):
    body = line.rstrip("\r\n")
    return " " * len(body) + line[len(body) :]


class Scanner:
    """Whether the next line starts a statement: no bracket or long string is open, and no backslash ended the line."""

    def __init__(self):
        self.depth = 0
        self.quote = None
        self.continued = False

    def at_statement(self):
        return self.depth <= 0 and self.quote is None and not self.continued

    def feed(self, line):
        at = 0
        self.continued = False
        while at < len(line):
            at = self._in_string(line, at) if self.quote else self._in_code(line, at)

    def _in_string(self, line, at):
        if line[at] == "\\":
            return at + 2
        if line.startswith(self.quote, at):
            at += len(self.quote)
            self.quote = None
            return at
        if line[at] in "\r\n" and len(self.quote) == 1:
            self.quote = None
        return at + 1

    def _in_code(self, line, at):
        char = line[at]
        if char == "#":
            return len(line)
        if char in "'\"":
            self.quote = char * 3 if line.startswith(char * 3, at) else char
            return at + len(self.quote)
        if char in "([{":
            self.depth += 1
        elif char in ")]}":
            self.depth -= 1
        elif char == "\\" and line[at + 1 :].strip() == "":
            self.continued = True
        return at + 1
