/** Follows Python's text line by line: whether the next line starts a statement, or goes on with a long text, a bracket, a backslash. */
export class PythonLines {
  #depth = 0;
  #quote: string | undefined;
  #isContinued = false;

  get atStatement(): boolean {
    return this.#depth <= 0 && this.#quote === undefined && !this.#isContinued;
  }

  get inText(): boolean {
    return this.#quote !== undefined;
  }

  /** One line without its end. */
  add(line: string): void {
    this.#isContinued = false;
    for (let at = 0; at < line.length; ) at = this.#quote === undefined ? this.#code(line, at) : this.#text(line, at);
    // A short text ends with its line, closed or not, unless a backslash carries it on.
    if (this.#quote?.length === 1 && !line.endsWith('\\')) this.#quote = undefined;
  }

  #text(line: string, at: number): number {
    if (line[at] === '\\') return at + 2;
    if (!line.startsWith(this.#quote!, at)) return at + 1;
    const length = this.#quote!.length;
    this.#quote = undefined;
    return at + length;
  }

  #code(line: string, at: number): number {
    const char = line[at]!;
    if (char === '#') return line.length;
    if (char === '"' || char === "'") {
      this.#quote = line.startsWith(char.repeat(3), at) ? char.repeat(3) : char;
      return at + this.#quote.length;
    }
    if ('([{'.includes(char)) this.#depth++;
    else if (')]}'.includes(char)) this.#depth--;
    else if (char === '\\' && line.slice(at + 1).trim() === '') this.#isContinued = true;
    return at + 1;
  }
}
