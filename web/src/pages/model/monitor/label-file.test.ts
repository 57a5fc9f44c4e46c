import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readLabels } from './label-file.ts';

test('a CSV of labels is read as the command line reads it', () => {
  const text =
    'prediction_id,value,available_at,other\r\n007,1,2026-01-31 12:00,x\r\n008,"late, very",,\r\n\r\n009,true,,\r\n';
  assert.deepEqual(readLabels(text), {
    labels: [
      { prediction_id: '007', value: 1, available_at: '2026-01-31T12:00:00.000Z' },
      { prediction_id: '008', value: 'late, very' },
      { prediction_id: '009', value: true },
    ],
    problems: [],
  });
});

test('an object a line is read too, in either spelling', () => {
  const { labels, problems } = readLabels('{"predictionId":"a","value":0}\n{"caller_id":"b","value":1}\n[1]\n{"x"\n');
  assert.equal(labels.length, 2);
  assert.deepEqual(problems, [
    { line: 3, message: 'is no object' },
    { line: 4, message: 'is not JSON; write one object a line' },
  ]);
});

test('lines that name no prediction, two, or no value are told by their number', () => {
  const { problems } = readLabels('prediction_id,entity,value\na,b,1\n,,1\na,,\na,b,1,2\n');
  assert.deepEqual(
    problems.map(({ line, message }) => `${line} ${message}`),
    [
      '2 names 2 predictions; give exactly one of prediction_id, caller_id, entity',
      '3 names 0 predictions; give exactly one of prediction_id, caller_id, entity',
      '4 has no value',
      '5 has 4 cells, and the header 3',
    ],
  );
});

test('a header without what a label needs is refused at once, and nothing is no problem', () => {
  assert.match(readLabels('id,score\n1,2\n').problems[0]!.message, /the columns are id, score; a label needs value/);
  assert.deepEqual(readLabels('\n \n'), { labels: [], problems: [] });
});
