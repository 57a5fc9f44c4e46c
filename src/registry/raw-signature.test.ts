import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asRead } from './raw-signature.ts';

test('dates that the notebook read as text stay text; all else is as the data says', () => {
  const features = [
    'RAW = {',
    "    'Year': 'object',",
    "    'it\\'s due': 'str?',",
    "    'sold': 'datetime64[ns]',",
    "    'beds': 'int64',",
    '}',
    "OTHER = {'sold': 'object'}",
  ].join('\n');
  const types = { Year: 'datetime', "it's due": 'datetime', sold: 'datetime', beds: 'double' } as const;
  assert.deepEqual(asRead(types, features), { ...types, Year: 'string', "it's due": 'string' });
  assert.deepEqual(asRead(types, 'def features(df):\n    return df\n'), types);
});
