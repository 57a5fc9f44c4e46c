"""Lines of IPython that a clean run cannot take as they are, changed before IPython transforms the cell; line numbers stay.

``%%time`` and its kind would hide the cell's code in a text; installers would change the locked environment; downloads have no
network; windows have no screen. Each change is told in ``Trace.notes``.
"""

import re

BLANKED_CELL_MAGICS = frozenset("time timeit capture prun memit notify mprun lprun".split())
SHELL_CELL_MAGICS = frozenset("bash sh script system sx !".split())
WINDOWS = frozenset("notebook widget ipympl qt qt4 qt5 qt6 tk osx gtk gtk3 gtk4 wx nbagg auto".split())
INSTALLERS = re.compile(r"^(?:sudo\s+)?(?:[\w./]*python[\d.]*\s+-m\s+)?(?:pip[\d.]*|conda|mamba|apt|apt-get|brew|npm|uv|easy_install|poetry)\b")
DOWNLOADS = re.compile(r"^(?:sudo\s+)?(?:wget|curl|gdown|kaggle|aws|gsutil|git\s+(?:clone|pull|lfs)|rclone)\b")
_CELL = re.compile(r"^%%(\w+|!)(.*)$")
_LINE = re.compile(r"^(\s*)(?:([A-Za-z_][\w.\[\], ]*\s*=\s*))?([%!]{1,2})\s*([\w./-]*)(.*)$")


class Magics:
    def __init__(self, shell, trace, network):
        self.shell, self.trace, self.network = shell, trace, network

    def __call__(self, lines):
        try:
            return self._cell(list(lines))
        except Exception:
            return lines

    def _cell(self, lines):
        head = _CELL.match(lines[0]) if lines else None
        while head is not None and head.group(1) in BLANKED_CELL_MAGICS:
            index = next(i for i, line in enumerate(lines) if line.startswith("%%"))
            statement = head.group(2).strip() if head.group(1) in ("time", "timeit") else ""
            lines[index] = (statement if statement and not statement.startswith("-") else "# %%" + head.group(1)) + "\n"
            rest = next((line for line in lines[index + 1 :] if line.strip()), "")
            head = _CELL.match(rest)
            if head is not None:
                lines[: lines.index(rest)] = ["\n"] * lines.index(rest) if head.group(1) in BLANKED_CELL_MAGICS else []
        if head is not None:
            return self._shell_cell(lines) if head.group(1) in SHELL_CELL_MAGICS else lines
        return self._lines(lines)

    def _shell_cell(self, lines):
        commands = [line.strip() for line in lines[1:] if line.strip() and not line.strip().startswith("#")]
        if commands and all(self._is_refused(command) for command in commands):
            return ["# " + line.lstrip() for line in lines]
        return lines

    def _lines(self, lines):
        quotes = _Quotes()
        changed = []
        for line in lines:
            changed.append(line if quotes.inside else self._line(line))
            quotes.feed(line)
        return changed

    def _line(self, line):
        match = _LINE.match(line.rstrip("\n"))
        if match is None:
            return line
        indent, target, mark, name, rest = match.groups()
        if mark.startswith("!"):
            command = (name + rest).strip()
            return self._without(indent, target, line) if self._is_refused(command) else line
        if mark != "%" or not name:
            return line
        return self._line_magic(indent, target or "", name, rest, line)

    def _line_magic(self, indent, target, name, rest, line):
        if name in ("pip", "conda", "mamba", "uv"):
            self.trace.note("%%%s%s was left out: the environment is locked" % (name, rest[:80]))
            return indent + "pass\n"
        if name == "time" and rest.strip():
            return "%s%s%s\n" % (indent, target, rest.strip())
        if name in ("timeit", "prun", "memit", "mprun", "lprun") and not target:
            return indent + "pass\n"
        if name in ("matplotlib", "pylab") and rest.strip().split(" ")[0] in WINDOWS:
            return "%s%%%s inline\n" % (indent, name)
        if name == "load_ext" and not _is_importable(rest.strip()):
            self.trace.note("%%load_ext %s was left out: it is not installed" % rest.strip())
            return indent + "pass\n"
        if not target and not self._is_known(name):
            self.trace.note("%%%s was left out: there is no such magic" % name)
            return indent + "pass\n"
        return line

    def _is_known(self, name):
        return self.shell.find_line_magic(name) is not None

    def _is_refused(self, command):
        if INSTALLERS.match(command):
            self.trace.note("!%s was left out: the environment is locked" % command[:100])
            return True
        if not self.network and DOWNLOADS.match(command):
            self.trace.note("!%s was left out: the notebook runs without network" % command[:100])
            if command[:200] not in self.trace.refused_network:
                self.trace.refused_network.append(command[:200])
            return True
        return False

    @staticmethod
    def _without(indent, target, line):
        return "%s%s\n" % (indent, target + "[]" if target else "pass")


class _Quotes:
    """Whether a line begins inside a triple-quoted text."""

    _MARK = re.compile(r"\\.|#[^\n]*|\"\"\"|'''|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'")

    def __init__(self):
        self.inside = None

    def feed(self, line):
        position = 0
        while position < len(line):
            if self.inside:
                at = line.find(self.inside, position)
                if at < 0:
                    return
                position, self.inside = at + 3, None
                continue
            match = self._MARK.search(line, position)
            if match is None:
                return
            position = match.end()
            if match.group() in ('"""', "'''"):
                self.inside = match.group()


def _is_importable(name):
    import importlib.util

    try:
        return bool(name) and importlib.util.find_spec(name.split()[0].split(".")[0]) is not None
    except (ImportError, ValueError):
        return False
