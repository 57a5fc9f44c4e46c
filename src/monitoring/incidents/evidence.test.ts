import assert from 'node:assert/strict';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { eachDatabase } from '../../../test/support/db.ts';
import {
  ACTOR,
  createMonitoringWorld,
  DAY,
  type MonitoringWorld,
  START,
} from '../../../test/support/monitoring-world.ts';
import { tempDir } from '../../../test/support/temp.ts';
import { sendLabels } from '../labels/labels.ts';
import { exportAffected, listAffected } from './affected.ts';
import { getEvidence } from './evidence.ts';
import { listIncidents } from './incidents.ts';

eachDatabase((_name, open) => {
  /** Two ordinary days, then one whose second column comes in other units from 02:00 on. */
  async function broken(): Promise<{ w: MonitoringWorld; number: number; ids: readonly string[] }> {
    const w = await createMonitoringWorld(await open(), tempDir());
    await w.deployFirst();
    for (const day of [0, 1]) await w.ship({ day });
    const rows = await w.ship({ day: 2, n: 500, spoil: ([a, b, c]) => [a!, b! * 1.609344, c!], fromHour: 2 });
    await w.ship({ day: 3, n: 5 });
    await w.look();
    const [incident] = (await listIncidents(w.deps, ACTOR, { limit: 1 })).items;
    return { w, number: incident!.number, ids: rows.map(({ id }) => id) };
  }

  test('the evidence shows the broken column before and after, and which lights did not change', async () => {
    const { w, number } = await broken();
    const { charts, marks, lights } = await getEvidence(w.deps, ACTOR, number);
    const [chart] = charts;
    assert.equal(chart!.title, 'Mean of x1 by the hour, against training');
    const live = chart!.series.find(({ kind }) => kind === 'live')!.values;
    const spoiled = chart!.at.indexOf(new Date(START + 2 * DAY + 2 * 3_600_000).toISOString());
    const meanOf = (values: readonly (number | null)[]) =>
      values.reduce<number>((sum, n) => sum + n!, 0) / values.length;
    const factor = meanOf(live.slice(spoiled)) / meanOf(live.slice(0, spoiled));
    assert.ok(factor > 1.5 && factor < 1.75, `the mean moved by ${factor}`);
    assert.ok(marks.some(({ label }) => label === `incident ${number}`));
    assert.deepEqual(
      lights.map(({ light, state, isOwn }) => [light, state, isOwn]),
      [
        ['service', 'green', false],
        ['data', 'red', true],
        ['predictions', 'green', false],
        ['performance', 'grey', false],
      ],
    );
  });

  test('the affected predictions are those since it began, counted, with the labels that came', async () => {
    const { w, number, ids } = await broken();
    const newest = ids.at(-1)!;
    await sendLabels(w.deps, ACTOR, { endpoint: 'churn', labels: [{ predictionId: newest, value: 1 }] });
    const { total, items, from } = await listAffected(w.deps, ACTOR, { number, limit: 3 });
    assert.equal(total, 500);
    assert.equal(from, new Date(START + 2 * DAY + 2 * 3_600_000).toISOString());
    assert.deepEqual(
      items.map(({ id, truth }) => [id, truth]),
      [
        [newest, 1],
        [ids.at(-2), null],
        [ids.at(-3), null],
      ],
    );
  });

  test('an export holds every affected prediction with its inputs, as CSV and as JSON lines', async () => {
    const { w, number, ids } = await broken();
    const read = async (format: 'csv' | 'jsonl') =>
      (await text((await exportAffected(w.deps, ACTOR, { number, format })).body as Readable)).trimEnd().split('\n');
    const [head, ...lines] = await read('csv');
    assert.match(head!, /^version,prediction_id,.*,truth,input\.x0,input\.x1,input\.x2$/);
    assert.deepEqual(
      lines.map((line) => line.split(',')[1]),
      ids,
    );
    const objects = (await read('jsonl')).map((line) => JSON.parse(line));
    assert.deepEqual(
      objects.map((each) => each.prediction_id),
      ids,
    );
    assert.deepEqual(Object.keys(objects[0].inputs), ['x0', 'x1', 'x2']);
  });
});
