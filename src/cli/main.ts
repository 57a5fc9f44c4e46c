import { Command, CommanderError } from 'commander';
import { AppError, isAppError, messageOf } from '../kernel/errors.ts';
import { type CommandModule, EXIT, exitCodeOf, type Options } from './command.ts';
import { COMMANDS } from './commands/index.ts';
import { createPrinter, type Failure, type Printer } from './output.ts';

/** Runs one command line (without node and script) and answers the exit code. */
export async function main(argv: readonly string[]): Promise<number> {
  const printer = createPrinter(process, { json: argv.includes('--json'), jsonl: argv.includes('--jsonl') });
  const signal = watchSignals(printer);
  try {
    return await dispatch(argv, printer, signal);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    if (signal.aborted) return EXIT.interrupted;
    printer.failure(toFailure(error));
    return exitCodeOf(error);
  }
}

/** `timeout` and npm pass on what the whole group of processes gets too: what comes this soon is the same wish. */
const SAME_WISH_MS = 1_000;

/** Aborts at the first signal. One that comes later means that nobody wants to wait for an orderly end. */
function watchSignals(printer: Printer): AbortSignal {
  const controller = new AbortController();
  let first = 0;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (!controller.signal.aborted) {
        first = Date.now();
        controller.abort(name);
      } else if (Date.now() - first > SAME_WISH_MS) {
        printer.note('Not waiting any longer; what still runs is stopped by: levain down');
        process.exit(EXIT.interrupted);
      }
    });
  }
  return controller.signal;
}

async function dispatch(argv: readonly string[], printer: Printer, signal: AbortSignal): Promise<number> {
  const verb = verbOf(argv);
  const entry = COMMANDS.find(({ name }) => name === (verb === 'help' ? argv[argv.indexOf('help') + 1] : verb));
  const program = createProgram(printer);
  if (!entry) {
    const wanted = verb === 'help' ? argv[argv.indexOf('help') + 1] : verb;
    if (wanted !== undefined && !wanted.startsWith('-')) throw unknownVerb(wanted);
    if (argv.includes('--version') || argv.includes('-V')) {
      process.stdout.write(`${await versionOf()}\n`);
      return EXIT.ok;
    }
    if (argv.includes('--json')) {
      const commands = COMMANDS.map(({ name, group, summary }) => ({ name, group, summary }));
      printer.result({ schema: 'help/1', data: { commands }, next: ['levain up'] });
    } else process.stdout.write(toHelp());
    return EXIT.ok;
  }
  let exitCode: number = EXIT.ok;
  const module = await entry.load();
  program.addCommand(
    toCommand(module, `levain ${module.name}`, printer, signal, (code) => {
      exitCode = code;
    }),
  );
  await program.parseAsync([...argv], { from: 'user' });
  return exitCode;
}

/** The first word that is neither an option nor the value of `--url` or `--project`. */
const verbOf = (argv: readonly string[]): string | undefined =>
  argv.find((word, i) => !word.startsWith('-') && !/^--(url|project)$/.test(argv[i - 1] ?? ''));

function createProgram(printer: Printer): Command {
  return new Command('levain')
    .exitOverride()
    .configureOutput({ outputError: (text) => printer.failure(usageFailure(text)) })
    .helpCommand(true);
}

function toCommand(
  module: CommandModule,
  path: string,
  printer: Printer,
  signal: AbortSignal,
  done: (code: number) => void,
): Command {
  const command = new Command(module.name)
    .description(module.summary)
    .exitOverride()
    .configureOutput({ outputError: (text) => printer.failure(usageFailure(text, `${path} --help`)) });
  module.configure(command);
  addGlobalOptions(command);
  const below = module.subcommands ?? [];
  for (const each of below) command.addCommand(toCommand(each, `${path} ${each.name}`, printer, signal, done));
  const { run } = module;
  if (!run) {
    command.action(() => {
      const message = `${path} needs one of: ${below.map(({ name }) => name).join(', ')}`;
      throw new AppError('invalid', message, { hint: `${path} --help` });
    });
  }
  if (run) {
    command.action(async () => {
      const { createContext } = await import('./context.ts');
      const options = command.optsWithGlobals<Options>();
      const result = await run(createContext(printer, options, signal), command.processedArgs, options);
      if (result) printer.result(result);
      done(result?.exitCode ?? (signal.reason === 'SIGINT' ? EXIT.interrupted : EXIT.ok));
    });
  }
  return command;
}

/** On every verb, so that they stand before or after its arguments. */
function addGlobalOptions(command: Command): void {
  const known = new Set(command.options.map(({ long }) => long));
  const add = (flags: string, long: string, text: string): void => {
    if (!known.has(long)) command.option(flags, text);
  };
  add('--json', '--json', 'one JSON object on stdout');
  add('--jsonl', '--jsonl', 'one JSON object a line, for streams');
  add('--url <url>', '--url', 'the server (default: this folder’s, or LEVAIN_URL)');
  add('--project <name>', '--project', 'the project on that server (default: main)');
  add('-y, --yes', '--yes', 'answer every question with yes');
}

function toHelp(): string {
  const width = Math.max(...COMMANDS.map(({ name }) => name.length));
  const groups = [...new Set(COMMANDS.map(({ group }) => group))];
  const sections = groups.map((group) => {
    const lines = COMMANDS.filter((entry) => entry.group === group).map(
      ({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`,
    );
    return `${group}\n${lines.join('\n')}`;
  });
  return `Levain: from notebook to production, and healthy there.\n\nUsage: levain COMMAND [OPTIONS]\n\n${sections.join('\n\n')}\n\nlevain COMMAND --help shows its options and examples.\n`;
}

function unknownVerb(verb: string): AppError {
  const near = COMMANDS.map(({ name }) => ({ name, distance: distanceOf(verb, name) })).sort(
    (a, b) => a.distance - b.distance,
  )[0];
  const hint = near && near.distance <= 2 ? `levain ${near.name}` : 'levain --help';
  return new AppError('invalid', `There is no command "${verb}"`, { hint });
}

/** Levenshtein's distance. */
function distanceOf(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      row.push(Math.min(row[j - 1]! + 1, previous[j]! + 1, previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    previous = row;
  }
  return previous[b.length]!;
}

const usageFailure = (text: string, hint?: string): Failure => ({
  code: 'invalid',
  message: text.replace(/^error: /, '').trim(),
  hint,
});

function toFailure(error: unknown): Failure {
  if (!isAppError(error)) {
    const stack = process.env['LEVAIN_DEBUG'] && error instanceof Error ? `\n${error.stack}` : '';
    return {
      code: 'internal',
      message: `Levain failed here: ${messageOf(error)}${stack}`,
      hint: 'LEVAIN_DEBUG=1 shows where',
    };
  }
  const { hint, requestId } = (error.details ?? {}) as { hint?: string; requestId?: string };
  return { code: error.code, message: error.message, hint, requestId };
}

async function versionOf(): Promise<string> {
  const { readFile } = await import('node:fs/promises');
  const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return manifest.version;
}
