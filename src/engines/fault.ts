import type { Frame } from '../kernel/frame.ts';
import type { Random } from '../ports/system.ts';
import { positiveIndex, withRowErrors } from './outputs.ts';
import type { Fault, Outputs, RowError, Servable } from './types.ts';

interface FaultIo {
  readonly random: Random | undefined;
  readonly sleep: (ms: number) => Promise<void>;
}

/** A servable that misbehaves as a rehearsal asks. Everything else about it is real. */
export function withFault(servable: Servable, fault: Fault, { random, sleep }: FaultIo): Servable {
  const draw = random ? () => random.next() : Math.random;
  const damage = (outputs: Outputs): Outputs => spoil(outputs, fault, servable, draw);
  const { predictSync } = servable;
  return {
    spec: servable.spec,
    predict: async (rows, options) => {
      if (fault.kind === 'slow') await sleep(fault.ms);
      return damage(await servable.predict(rows, options));
    },
    ...(predictSync && fault.kind !== 'slow' && { predictSync: (rows: Frame) => damage(predictSync(rows)) }),
    close: () => servable.close(),
  };
}

function spoil(outputs: Outputs, fault: Fault, servable: Servable, draw: () => number): Outputs {
  if (fault.kind === 'errors') {
    const errors: RowError[] = [];
    for (let row = 0; row < outputs.rowCount; row++)
      if (draw() < fault.share) errors.push({ row, message: 'Rehearsal: the model fails on this row' });
    return withRowErrors(outputs, errors);
  }
  return fault.kind === 'constant' ? constant(outputs, fault.value, servable) : outputs;
}

/** Every score is the value; labels and probabilities follow it: of several classes it is always the first. */
function constant(outputs: Outputs, value: number, { spec }: Servable): Outputs {
  const scores = new Float64Array(outputs.rowCount).fill(value);
  const { classes } = spec;
  if (spec.task !== 'regression' && classes && classes.length > 2)
    return {
      ...outputs,
      scores,
      labels: new Array(outputs.rowCount).fill(classes[0]!),
      ...(outputs.probabilities && {
        probabilities: classes.map((_, k) =>
          new Float64Array(outputs.rowCount).fill(k === 0 ? value : (1 - value) / (classes.length - 1)),
        ),
      }),
    };
  if (spec.task === 'regression' || !classes || classes.length !== 2)
    return { ...outputs, scores, ...(spec.task === 'regression' && { labels: [...scores] }) };
  const positive = positiveIndex(spec, classes);
  const label = classes[value >= (spec.threshold ?? 0.5) ? positive : 1 - positive]!;
  const probabilities = [0, 1].map((k) => new Float64Array(outputs.rowCount).fill(k === positive ? value : 1 - value));
  return { ...outputs, scores, labels: new Array(outputs.rowCount).fill(label), probabilities };
}
