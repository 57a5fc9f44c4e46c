"""Leads the paths of a notebook to files that are there: another machine's folders, addresses, Kaggle, Colab and Windows paths."""

import os
import re
from urllib.parse import unquote, urlsplit

MAX_FILES = 50000
#: Callees (as written) whose arguments may be paths, and which of them write.
READERS = frozenset(
    "read_csv read_table read_fwf read_excel read_json read_html read_xml read_parquet read_feather read_pickle read_hdf read_orc read_stata "
    "read_sas read_spss ExcelFile open loadtxt genfromtxt fromfile load loadmat loadarff load_svmlight_file load_workbook imread File "
    "Path PurePath exists isfile isdir getsize stat listdir scandir walk glob iglob chdir ZipFile TarFile copy copyfile move unpack_archive "
    "Dataset DMatrix connect read_text read_bytes read_lines reader rglob".split()
)
WRITERS = frozenset(
    "to_csv to_excel to_json to_parquet to_pickle to_feather to_hdf to_html to_stata savefig save savetxt savez savez_compressed dump "
    "save_model save_weights write_html write_image makedirs mkdir ExcelWriter export_graphviz ModelCheckpoint imsave remove unlink rmtree rename".split()
)
WINDOW_BACKENDS = frozenset("qt4agg qt5agg qtagg tkagg gtk3agg gtk4agg wxagg macosx nbagg webagg qt4cairo qt5cairo gtkagg".split())
_URL = re.compile(r"^[a-zA-Z][a-zA-Z0-9+.-]+://")
_DRIVE = re.compile(r"^[a-zA-Z]:[\\/]")


def kind_of_paths(attribute):
    """1: the call may read a path, 2: it may write one, 3: it chooses where matplotlib draws, 0: none of them."""
    if attribute in ("use", "switch_backend"):
        return 3
    return 1 if attribute in READERS else 2 if attribute in WRITERS else 0


class Redirects:
    """root: folder of the copy. given: {path as written: path relative to root (or absolute)}; found ones are added as they are used."""

    def __init__(self, root, given):
        self.root, self.given, self.used, self.ambiguous = os.path.realpath(root), dict(given or {}), {}, {}
        self._files = None

    def to_read(self, path):
        """The path to read instead, or the same object where it is there as written or nothing fits."""
        text = _text(path)
        if text is None or text in ("", "."):
            return path
        target = self.given.get(text)
        if target is None and (_URL.match(text) is None and os.path.exists(text)):
            return path
        target = self._absolute(target) if target is not None else self.find(text)
        if target is None:
            return path
        self.used[text] = os.path.relpath(target, self.root) if _is_under(target, self.root) else target
        return _like(path, target)

    def to_write(self, path):
        """Writes outside of the copy, or into folders that are not there, land in the copy's folder."""
        text = _text(path)
        if text is None or _URL.match(text):
            return path
        if not _is_foreign(text):
            folder = os.path.dirname(text)
            if not folder or os.path.isdir(folder) or not folder.strip("./"):
                return path
            return path
        real = os.path.realpath(text)
        if _is_under(real, self.root) or (os.path.isdir(os.path.dirname(text)) and _is_temporary(real)):
            return path
        target = os.path.join(self.root, parts_of(text)[-1] if parts_of(text) else "output")
        self.used[text] = os.path.relpath(target, self.root)
        return _like(path, target)

    def find(self, text):
        """A file or folder in the copy that the end of the path names; the longest common end wins."""
        wanted = [part.casefold() for part in parts_of(text)]
        if not wanted:
            return None
        best, ties = None, []
        for candidate in self.files():
            parts = [part.casefold() for part in candidate.split("/")]
            common = 0
            while common < min(len(parts), len(wanted)) and parts[-1 - common] == wanted[-1 - common]:
                common += 1
            if common == 0:
                continue
            rank = (-common, len(parts), candidate)
            ties.append((common, candidate))
            if best is None or rank < best:
                best = rank
        if best is not None:
            same = [candidate for common, candidate in ties if common == -best[0]]
            if len(same) > 1:
                self.ambiguous[text] = sorted(same)
            return os.path.join(self.root, best[2])
        return self.root if _is_foreign(text) and _names_folder(text) else None

    def files(self):
        """Files and folders of the copy, relative, in a fixed order."""
        if self._files is None:
            found = []
            for folder, folders, names in os.walk(self.root):
                folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in ("node_modules", "__pycache__"))
                below = os.path.relpath(folder, self.root)
                prefix = "" if below == "." else below.replace(os.sep, "/") + "/"
                found.extend(prefix + name for name in sorted(names) + folders)
                if len(found) > MAX_FILES:
                    break
            self._files = found
        return self._files

    def _absolute(self, target):
        return target if os.path.isabs(target) else os.path.join(self.root, target)


def parts_of(text):
    """Parts of a path or address, decoded, without drive, query and empty ones."""
    if _URL.match(text):
        split = urlsplit(text)
        text = unquote(split.path)
    elif _DRIVE.match(text):
        text = text[2:]
    text = unquote(text) if "%" in text and not os.path.exists(text) else text
    return [part.strip() for part in re.split(r"[\\/]+", text) if part.strip() not in ("", ".", "..")]


def is_address(text):
    return isinstance(text, str) and _URL.match(text) is not None and not text.startswith("file:")


def _text(path):
    try:
        path = os.fspath(path)
    except TypeError:
        return None
    return path if isinstance(path, str) and len(path) < 4096 and "\n" not in path else None


def _like(path, target):
    return target if isinstance(path, str) else type(path)(target)


def _is_foreign(text):
    return os.path.isabs(text) or _DRIVE.match(text) is not None or _URL.match(text) is not None or text.startswith("~")


def _names_folder(text):
    parts = parts_of(text)
    return not _URL.match(text) and (not parts or "." not in parts[-1].strip("."))


def _is_under(path, root):
    return path == root or path.startswith(root.rstrip(os.sep) + os.sep)


def _is_temporary(path):
    import tempfile

    return _is_under(path, os.path.realpath(tempfile.gettempdir()))
