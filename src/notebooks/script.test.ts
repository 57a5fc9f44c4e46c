import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cellsOfScript } from './script.ts';

const cells = (text: string) => cellsOfScript(text, 'train.py');

test('marks part a script where it has them', () => {
  assert.deepEqual(cells('import a\n# %% load\nx = """\n# %% no mark\n"""\n#%%\ny = 1\n\nz = 2\n'), [
    'import a',
    '# %% load\nx = """\n# %% no mark\n"""',
    '#%%\ny = 1\n\nz = 2',
  ]);
});

test('without marks paragraphs of top-level statements are cells', () => {
  const text = [
    '"""What it does.',
    '',
    'And more."""',
    'import a',
    '',
    'import b',
    '',
    '',
    'def f(x):',
    '    y = 1',
    '',
    '    return y',
    '',
    '# The data.',
    'd = f(',
    '',
    '1)',
    'if d:',
    '    e = 1',
    '',
    'else:',
    '    e = 2',
    '',
    'm = e',
  ].join('\n');
  assert.deepEqual(cells(text), [
    '"""What it does.\n\nAnd more."""\nimport a\n\nimport b',
    'def f(x):\n    y = 1\n\n    return y',
    '# The data.\nd = f(\n\n1)\nif d:\n    e = 1\n\nelse:\n    e = 2',
    'm = e',
  ]);
});

test('what main does becomes cells, so that its variables stay', () => {
  const text = [
    'def load():',
    '    return 1',
    '',
    'def main():',
    '    x = load()',
    '    s = """a',
    '  b"""',
    '',
    '    def inner():',
    '        return 2',
    '    model = inner()',
    '    return model',
    '',
    'if __name__ == "__main__":',
    '    main()',
  ].join('\n');
  assert.deepEqual(cells(text).slice(2), [
    'x = load()\ns = """a\n  b"""',
    'def inner():\n    return 2\nmodel = inner()\nmodel',
  ]);
});

test('a main that leaves early, takes arguments or sets globals is called as it is', () => {
  for (const body of ['    if x:\n        return\n    y = 1', '    global z\n    z = 1'])
    assert.equal(cells(`def main():\n${body}\n\nif __name__ == '__main__':\n    main()`).at(-1), 'main()');
  assert.equal(cells(`def main(a=1):\n    b = a\n\nif __name__ == '__main__':\n    main()`).at(-1), 'main()');
});

test('statements under the guard itself stand in the first column', () => {
  assert.deepEqual(cells("import a\n\nif __name__ == '__main__':\n    x = 1\n    y = 2\n"), [
    'import a',
    'x = 1\ny = 2',
  ]);
});

test('a script that asks for its file or arguments is told them', () => {
  assert.match(cells('import argparse\n')[0]!, /__file__ = "train.py"\nsys.argv = \[__file__\]/);
});
