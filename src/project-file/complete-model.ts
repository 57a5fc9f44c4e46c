import { messageOf } from '../kernel/errors.ts';
import { parseShare } from '../kernel/units.ts';
import { type Complain, toList } from './complete.ts';
import type { Written, WrittenFile } from './schema.ts';
import type { ApproveSection, DataSection, GateRows, GateSection, ModelFrom, ModelSection, Positive } from './types.ts';

export const DEFAULT_GATE_SHARE = 0.2;
const DEFAULT_THRESHOLD = 0.5;
const MAX_GATE_SHARE = 0.9;

export function completeModel(
  written: WrittenFile,
  data: Readonly<Record<string, DataSection>>,
  complain: Complain,
): ModelSection {
  const model = written.model!;
  const from = modelFrom(model.from, complain);
  const target = targetOf(model.target);
  return {
    from,
    features: model.features ?? null,
    task: model.task ?? null,
    target,
    entity: model.entity ?? defaultEntity(data, written.monitor?.labels?.data),
    gate: completeGate(model, from, written, complain),
    approve: completeApprove(model.approve),
  };
}

/** A variable, or what one holds: `models["Random Forest"]`, `results[0][1]`, `self.model`. Only literal keys. */
const REACHED =
  /^[A-Za-z_]\w*(?:\.[A-Za-z_]\w*|\[(?:-?\d+(?:\.\d+)?|True|False|'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")\])*$/;

/** `train.clf`, `train:path/to/file`, `train`, `train:NAME` (a logged model: a name has no dot and no slash). */
function modelFrom(text: string, complain: Complain): ModelFrom {
  const match = /^([A-Za-z0-9_-]+)(?:([.:])(.+))?$/.exec(text.trim());
  if (!match) {
    complain(
      ['model', 'from'],
      `model.from is "${text}"; write step.variable, step:path/to/file, step, or step:NAME of a logged model`,
    );
    return { kind: 'logged', step: '', logged: true };
  }
  const [, step = '', sign, rest = ''] = match;
  if (sign === undefined) return { kind: 'logged', step, logged: true };
  if (sign === ':')
    return /[./]/.test(rest) ? { kind: 'file', step, file: rest } : { kind: 'logged', step, logged: rest };
  if (!REACHED.test(rest))
    complain(
      ['model', 'from'],
      `model.from is "${text}"; "${rest}" is not a variable, nor what one holds such as models['rf'] (a file is written ${step}:${rest})`,
    );
  return { kind: 'variable', step, variable: rest };
}

function targetOf(written: Written<'model'>['target']): ModelSection['target'] {
  if (written === undefined) return null;
  const target = typeof written === 'string' ? { column: written } : written;
  return {
    column: target.column,
    positive: positiveOf(target.positive),
    threshold: target.threshold ?? DEFAULT_THRESHOLD,
  };
}

/** A value, or a comparison with a number: `"> 15"`. */
function positiveOf(written: string | number | boolean | undefined): Positive | null {
  if (written === undefined) return null;
  const match = typeof written === 'string' ? /^(>=|<=|>|<)\s*(-?\d+(?:\.\d+)?)$/.exec(written.trim()) : null;
  return match ? { op: match[1] as '>' | '>=' | '<' | '<=', value: Number(match[2]) } : written;
}

/** The one key column of the one dataset that has one; datasets of labels do not count. */
function defaultEntity(data: Readonly<Record<string, DataSection>>, labels: string | undefined): string | null {
  const keys = Object.entries(data).filter(([name, section]) => name !== labels && section.key.length > 0);
  const [only, ...more] = keys;
  return only && more.length === 0 && only[1].key.length === 1 ? only[1].key[0]! : null;
}

function completeGate(model: Written<'model'>, from: ModelFrom, written: WrittenFile, complain: Complain): GateSection {
  const { rows, metric, pass, slices } = model.gate ?? {};
  return {
    rows: rows === undefined ? defaultRows(from, written) : gateRowsOf(rows, written, complain),
    metric: metric ?? defaultMetric(model),
    pass: pass === undefined || pass === 'better' ? { kind: 'better' } : { kind: 'not_worse', margin: pass.not_worse },
    slices: toList(slices) ?? [],
  };
}

/** A notebook that leaves its model in a variable has test rows of its own; all else keeps 20 % back. */
function defaultRows(from: ModelFrom, written: WrittenFile): GateRows {
  const isNotebook = written.steps?.[from.step]?.notebook !== undefined;
  if (from.kind === 'variable' && isNotebook) return { kind: 'notebook' };
  return { kind: hasTime(written) ? 'newest' : 'hash', share: DEFAULT_GATE_SHARE };
}

function gateRowsOf(text: string, written: WrittenFile, complain: Complain): GateRows {
  if (text === 'notebook') return { kind: 'notebook' };
  const match = /^(newest|hash)\s+(\S+)$/.exec(text.trim());
  if (!match) {
    if (/\s/.test(text.trim()))
      complain(
        ['model', 'gate', 'rows'],
        `model.gate.rows is "${text}"; write "newest 20%", "hash 20%", "notebook" or a path`,
      );
    return { kind: 'path', path: text };
  }
  try {
    const share = parseShare(match[2]!);
    if (share > 0 && share <= MAX_GATE_SHARE)
      return { kind: match[1] === 'newest' && hasTime(written) ? 'newest' : 'hash', share };
    complain(
      ['model', 'gate', 'rows'],
      `model.gate.rows keeps ${match[2]} back; write a share above 0 and at most 90%`,
    );
  } catch (error) {
    complain(['model', 'gate', 'rows'], messageOf(error));
  }
  return { kind: 'hash', share: DEFAULT_GATE_SHARE };
}

const hasTime = (written: WrittenFile): boolean =>
  Object.entries(written.data ?? {}).some(
    ([name, section]) => name !== written.monitor?.labels?.data && section.time !== undefined,
  );

function defaultMetric(model: Written<'model'>): GateSection['metric'] {
  if (model.task === 'regression') return 'rmse';
  const hasClasses =
    model.task !== undefined || (typeof model.target === 'object' && model.target.positive !== undefined);
  return hasClasses ? 'log_loss' : null;
}

const completeApprove = (written: Written<'model'>['approve']): ApproveSection => ({
  first: written?.first ?? 'human',
  retrain: written?.retrain ?? 'auto',
  by: written?.by ?? 'approver',
  withinMs: written?.within ?? null,
  // biome-ignore lint/suspicious/noThenProperty: the grammar's own word; it never holds a function
  then: written?.then ?? null,
});
