// Runs on Node 20 or newer with nothing installed: gets what is missing, then hands over to Node 24 and a TypeScript file.
// What it says goes to stderr; stdout belongs to what it starts.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const TOOLS = join(ROOT, '.levain', 'tools');
const STAMP = join(ROOT, 'node_modules', '.levain-lock');
const SCRIPTS = { quickstart: 'scripts/quickstart.ts', test: 'scripts/test.ts' };
const MIN_NODE = 20;
const NODE_FOR_LEVAIN = 24;
const MIN_PYTHON = [3, 11];
const PYTHONS = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.14', 'python'];

const [verb = '', ...options] = process.argv.slice(2);
const script = SCRIPTS[verb];
if (!script) fail(`There is no script "${verb}"; known are ${Object.keys(SCRIPTS).join(' and ')}`, 2);

const python = checkMachine();
installPackages();
const node = findNode();
buildWeb(node);
const uv = findUv(python);
handOver(node, script, uv);

function say(text) {
  process.stderr.write(`${text}\n`);
}

function fail(message, exitCode = 1) {
  say(`error: ${message}`);
  process.exit(exitCode);
}

/** Names everything that is missing at once; answers the Python to use. */
function checkMachine() {
  const missing = [];
  if (Number(process.versions.node.split('.')[0]) < MIN_NODE) {
    missing.push(`Node ${MIN_NODE} or newer (this is ${process.version})`);
  }
  if (!existsSync(join(ROOT, 'node_modules')) && !runs(npmCommand(), [...npmPrefix(), '--version']))
    missing.push('npm');
  const python = PYTHONS.find(isPythonNewEnough);
  if (!python) missing.push(`Python ${MIN_PYTHON.join('.')} or newer (Debian: apt install python3 python3-venv)`);
  else if (!hasUv() && !canInstall(python))
    missing.push(`pip or venv for ${python} (Debian: apt install python3-venv)`);
  if (missing.length > 0) fail(`This machine lacks ${missing.join(', and ')}; install that and run the command again`);
  return python;
}

function runs(command, args) {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

function isPythonNewEnough(command) {
  return runs(command, ['-c', `import sys; sys.exit(0 if sys.version_info >= (${MIN_PYTHON.join(', ')}) else 1)`]);
}

function canInstall(python) {
  return runs(python, ['-c', 'import venv, ensurepip']) || runs(python, ['-m', 'pip', '--version']);
}

/** `npm` as whoever started us calls it, else the one on PATH. */
function npmCommand() {
  return process.env.npm_execpath ? process.execPath : 'npm';
}

function npmPrefix() {
  return process.env.npm_execpath ? [process.env.npm_execpath] : [];
}

/** Installs when nothing is there or the lockfile changed since. Not `npm ci`: see CONTRIBUTING.md. */
function installPackages() {
  const wanted = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex');
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8').trim() === wanted) return;
  if (existsSync(join(ROOT, 'node_modules')) && isComplete()) return stamp(wanted);
  say('Installing npm packages (about a minute) …');
  const env = { ...process.env, ONNXRUNTIME_NODE_INSTALL: 'skip' };
  const args = [...npmPrefix(), 'install', '--no-audit', '--no-fund', '--loglevel=error'];
  const { status, error } = spawnSync(npmCommand(), args, { cwd: ROOT, env, stdio: ['ignore', 2, 2] });
  if (status !== 0) fail(`npm install failed${error ? ` (${error.message})` : ''}; its output is above`);
  stamp(wanted);
}

/** Whether what is installed is what the lockfile names: npm's own record of the tree agrees with it. */
function isComplete() {
  try {
    const installed = JSON.parse(readFileSync(join(ROOT, 'node_modules', '.package-lock.json'), 'utf8')).packages;
    const locked = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')).packages;
    return Object.entries(locked).every(
      ([path, { version, optional }]) => path === '' || optional || installed[path]?.version === version,
    );
  } catch {
    return false;
  }
}

function stamp(digest) {
  writeFileSync(STAMP, `${digest}\n`);
}

function findNode() {
  const own = join(ROOT, 'node_modules', 'node', 'bin', 'node');
  for (const candidate of [own, process.execPath, 'node']) {
    const version = spawnSync(candidate, ['--version'], { encoding: 'utf8' }).stdout ?? '';
    if (Number(/^v(\d+)\./.exec(version)?.[1] ?? 0) >= NODE_FOR_LEVAIN) return candidate;
  }
  return fail(
    `Node ${NODE_FOR_LEVAIN} is not there, though the npm package "node" brings it; remove node_modules and run this again`,
  );
}

/** The web UI as browsers get it, again whenever its sources or its packages changed. */
function buildWeb(node) {
  const web = join(ROOT, 'web');
  const stampFile = join(web, 'dist', '.sources');
  const digest = createHash('sha256').update(readFileSync(STAMP));
  const isSource = (path) => !/^(dist|node_modules)\b/.test(path);
  for (const entry of readdirSync(web, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath ?? entry.path, entry.name);
    if (entry.isFile() && isSource(relative(web, path))) digest.update(relative(web, path)).update(readFileSync(path));
  }
  const wanted = digest.digest('hex');
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8').trim() === wanted) return;
  say('Building the web UI …');
  const vite = join(ROOT, 'node_modules', 'vite', 'bin', 'vite.js');
  const { status } = spawnSync(node, [vite, 'build', web, '--logLevel', 'error'], { stdio: ['ignore', 2, 2] });
  if (status !== 0) fail('The web UI could not be built; its output is above');
  writeFileSync(stampFile, `${wanted}\n`);
}

function uvCandidates() {
  const onPath = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'uv'));
  const own = [join(TOOLS, 'venv', 'bin', 'uv'), join(TOOLS, 'pip', 'bin', 'uv')];
  return [...(process.env.LEVAIN_UV ? [process.env.LEVAIN_UV] : []), ...onPath, ...own];
}

function hasUv() {
  return uvCandidates().some(isExecutable);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** uv from PATH, else installed privately: into a virtual environment, or beside one where the machine has no venv. */
function findUv(python) {
  const found = uvCandidates().find((path) => isExecutable(path) && runs(path, ['--version']));
  if (found) return found;
  say('Installing uv into .levain/tools …');
  mkdirSync(TOOLS, { recursive: true });
  const venv = join(TOOLS, 'venv');
  if (quietly(python, ['-m', 'venv', venv]) && quietly(join(venv, 'bin', 'python'), pip('install', 'uv'))) {
    return join(venv, 'bin', 'uv');
  }
  const target = join(TOOLS, 'pip');
  if (quietly(python, pip('install', '--upgrade', '--target', target, 'uv'))) return join(target, 'bin', 'uv');
  return fail(`uv could not be installed with ${python}; install it (pip install uv) and run this again`);
}

function pip(...args) {
  return ['-m', 'pip', '--disable-pip-version-check', '-q', ...args];
}

function quietly(command, args) {
  try {
    execFileSync(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    return true;
  } catch {
    return false;
  }
}

/** Becomes the script, as nearly as Node can: same terminal, same signals, same exit code. */
function handOver(node, script, uv) {
  const env = {
    ...process.env,
    LEVAIN_UV: uv,
    LEVAIN_PYTHON: python,
    PATH: `${dirname(node)}${delimiter}${join(ROOT, 'node_modules', '.bin')}${delimiter}${process.env.PATH ?? ''}`,
  };
  const args = ['--disable-warning=ExperimentalWarning', join(ROOT, script), ...options];
  const child = spawn(node, args, { cwd: process.cwd(), env, stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // A terminal sends Ctrl-C to the whole group, the child included; others signal only this process.
    process.on(signal, () => {
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.once('error', (error) => fail(error.message));
  child.once('exit', (code, signal) => {
    process.exitCode = code ?? (signal === 'SIGINT' ? 130 : signal === 'SIGTERM' ? 143 : 1);
  });
}
