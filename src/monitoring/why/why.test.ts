import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eachDatabase } from '../../../test/support/db.ts';
import { ACTOR, createMonitoringWorld, DAY, START } from '../../../test/support/monitoring-world.ts';
import { tempDir } from '../../../test/support/temp.ts';
import type { Contributions } from '../../engines/contributions.ts';
import { uuidv7 } from '../../kernel/ids.ts';
import { listIncidents } from '../incidents/incidents.ts';
import { why } from './why.ts';

eachDatabase((_name, open) => {
  async function live() {
    const w = await createMonitoringWorld(await open(), tempDir());
    await w.deployFirst();
    return w;
  }

  test('a prediction is explained by what each column did, and it adds up to the answer', async () => {
    const w = await live();
    const [row] = await w.ship({ day: 0, n: 3 });
    const told = await why(w.deps, ACTOR, row!.id);
    assert.match(
      told.answer,
      /^churn answered [01] \(score 0\.\d+\): over 200 training rows the chance of 1 averages [\d.]+ %, and here x\d = [\d.]+ (raised|lowered) it \([+−][\d.]+ log-odds\).*\.$/,
    );
    const { contributions } = told.data as { contributions: Contributions & { sentence: string } };
    assert.deepEqual([contributions.method, contributions.scale, contributions.of], ['exact', 'logit', 1]);
    assert.deepEqual(contributions.features.map(({ name }) => name).sort(), ['x0', 'x1', 'x2']);
    const sum = contributions.features.reduce((total, { contribution }) => total + contribution, contributions.base);
    assert.ok(Math.abs(sum - contributions.output) < 1e-9);
    assert.ok(Math.abs(1 / (1 + Math.exp(-sum)) - row!.score) < 1e-9);
    const sizes = contributions.features.map(({ contribution }) => Math.abs(contribution));
    assert.deepEqual(
      sizes,
      sizes.toSorted((a, b) => b - a),
    );
    assert.ok(told.links.every(({ url }) => url.startsWith('http://127.0.0.1:4747/api/levain/v1/')));
    assert.deepEqual(told.next, ['levain why churn@v1']);
    await w.deps.runtime.stop();
  });

  test('a value that training never held is said in the answer', async () => {
    const w = await live();
    const [row] = await w.ship({ day: 0, n: 1, spoil: ([a, b]) => [a!, b!, 40] });
    const { answer } = await why(w.deps, ACTOR, row!.id);
    assert.match(answer, /Mind that x2 = 40 is outside the training range \(.* to .*\)\./);
    await w.deps.runtime.stop();
  });

  test('an incident, one of its alerts and its version each say why in a sentence', async () => {
    const w = await live();
    await w.ship({ day: 0 });
    await w.ship({ day: 1, spoil: ([a, b, c]) => [a!, b! * 1000, c!] });
    await w.ship({ day: 2, n: 3 });
    await w.look();
    const { items } = await listIncidents(w.deps, ACTOR, { limit: 1 });
    const number = items[0]!.number;
    const incident = await why(w.deps, ACTOR, String(number));
    assert.match(
      incident.answer,
      /^Incident \d+ of churn opened because x1 ×1000 in all 600 rows.*\. DATA broken since 2026-01-06.*It is open\. Safe: /,
    );
    const alert = await why(w.deps, ACTOR, `${number}/data.units`);
    assert.match(
      alert.answer,
      /^The rule data\.units \(data light\) raised an alert on 2026-01-06 because x1 ×1000 .* it is part of incident \d+/,
    );
    const version = await why(w.deps, ACTOR, 'churn@v1');
    assert.match(version.answer, /^churn@v1 answers as the champion because /);
    await assert.rejects(why(w.deps, ACTOR, `${number}/data.nothing`), /Nothing here is called/);
  });

  test('an id of just now is looked for until the log has it, another is not found at once', async () => {
    const w = await live();
    await w.ship({ day: 0, n: 1 });
    await assert.rejects(why(w.deps, ACTOR, uuidv7(START + DAY)), /Nothing here is called/);
    await assert.rejects(why(w.deps, ACTOR, 'churn'), /Nothing here is called/);
  });
});
