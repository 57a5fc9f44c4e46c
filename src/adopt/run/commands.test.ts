import assert from 'node:assert/strict';
import { test } from 'node:test';
import { toRunnable } from './commands.ts';

test('lines that install are passed over, and the numbers of the others stay', () => {
  const source =
    '!pip install -q x \\\n  y\nimport x\nif True:\n    %conda install z\n!{sys.executable} -m pip install q\npip install w';
  assert.equal(toRunnable(source), 'pass\n\nimport x\nif True:\n    pass\npass\npass');
});

test('shell lines that do not install are kept, and so is a variable named pip', () => {
  for (const source of ['!ls data', '!unzip -o data.zip', 'pip = 3', '%matplotlib inline', 'x = "!pip install"'])
    assert.equal(toRunnable(source), source);
});

test('windows of a desktop become pictures', () => {
  assert.equal(toRunnable('%matplotlib notebook'), '%matplotlib inline');
  assert.equal(toRunnable('  %matplotlib qt5'), '  %matplotlib inline');
});
