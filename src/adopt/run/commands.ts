/** What installs something: `!pip install x`, `%conda install`, `!{sys.executable} -m pip …`, `pip install x` alone. */
const INSTALLS =
  /^\s*(?:(?:[!%]\s*(?:\{?sys\.executable\}?\s+-m\s+|python3?\s+-m\s+|sudo\s+|yes\s*\|\s*)?(?:pip3?|conda|mamba|uv|apt|apt-get|brew|jupyter|jt)\b)|(?:(?:pip3?|conda)\s+install\s+[\w-]))/;
/** Windows of a desktop that is not there. */
const WINDOWS = /^(\s*%matplotlib)\s+(?:qt\w*|tk|wx|gtk\w*|osx|auto|notebook|widget|ipympl)\b.*$/;
const SHELL_CELL = /^\s*%%(?:bash|sh|script|cmd|system|!)/;

/**
 * The cell as it is run: lines that install packages count as requirements and are passed over, windows become pictures. Line
 * numbers stay.
 */
export function toRunnable(source: string): string {
  const lines = source.split('\n');
  if (SHELL_CELL.test(lines.find((line) => line.trim() !== '') ?? '')) {
    return /\b(?:pip3?|conda|apt|apt-get)\s+install\b/.test(source) ? lines.map(() => '').join('\n') : source;
  }
  const out: string[] = [];
  let goesOn = false;
  for (const line of lines) {
    if (goesOn) {
      goesOn = line.trimEnd().endsWith('\\');
      out.push('');
    } else if (INSTALLS.test(line)) {
      goesOn = line.trimEnd().endsWith('\\');
      out.push(`${/^\s*/.exec(line)![0]}pass`);
    } else out.push(line.replace(WINDOWS, '$1 inline'));
  }
  return out.join('\n');
}
