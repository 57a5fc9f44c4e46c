export interface Picked {
  /** Below what was dropped, with `/` between. */
  readonly path: string;
  readonly file: File;
}

/** Nobody means these; a project of any size would drown in them. */
const LEFT_OUT = /(^|\/)(\.[^/]*|node_modules|__pycache__|venv|env)(\/|$)/;

/** Files and whole folders of a drop. A single folder's own name is left out: it is the project. */
export async function filesOfDrop(transfer: DataTransfer): Promise<readonly Picked[]> {
  // The list is emptied when the event is over: entries are taken first, and read then.
  const entries = [...transfer.items].flatMap((item) => {
    const entry = item.webkitGetAsEntry();
    return entry ? [entry] : [];
  });
  const picked = (await Promise.all(entries.map(filesBelow))).flat();
  const [only] = entries;
  const inside = entries.length === 1 && only?.isDirectory ? `${only.name}/` : '';
  return tidy(picked.map(({ path, file }) => ({ path: path.slice(inside.length), file })));
}

export const filesOfInput = (list: FileList | null): readonly Picked[] =>
  tidy([...(list ?? [])].map((file) => ({ path: file.name, file })));

const tidy = (picked: readonly Picked[]): readonly Picked[] => picked.filter(({ path }) => !LEFT_OUT.test(path));

async function filesBelow(entry: FileSystemEntry): Promise<readonly Picked[]> {
  const path = entry.fullPath.replace(/^\//, '');
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) => (entry as FileSystemFileEntry).file(resolve, reject));
    return [{ path, file }];
  }
  if (LEFT_OUT.test(path)) return [];
  const children = await entriesOf((entry as FileSystemDirectoryEntry).createReader());
  return (await Promise.all(children.map(filesBelow))).flat();
}

/** A reader answers a hundred at a time, and nothing at the end. */
async function entriesOf(reader: FileSystemDirectoryReader): Promise<readonly FileSystemEntry[]> {
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (some.length === 0) return all;
    all.push(...some);
  }
}
