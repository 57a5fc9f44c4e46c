import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const WEB = fileURLToPath(new URL('..', import.meta.url));
const STYLES = join(dirname(createRequire(import.meta.url).resolve('@mantine/core/styles.css')), 'styles');

test('every component of Mantine that a page imports has its styles in ui/mantine.css', () => {
  const listed = readFileSync(join(WEB, 'ui/mantine.css'), 'utf8');
  const imported = globSync('**/*.tsx', { cwd: WEB }).flatMap((file) =>
    [...readFileSync(join(WEB, file), 'utf8').matchAll(/import \{([^}]*)\} from '@mantine\/core'/g)].flatMap(
      ([, names]) => names!.split(',').map((name) => ({ file, name: name.trim() })),
    ),
  );
  const missing = imported.filter(
    ({ name }) => existsSync(join(STYLES, `${name}.css`)) && !listed.includes(`styles/${name}.css`),
  );
  assert.deepEqual(
    missing.map(({ file, name }) => `${file} uses ${name}: add @import "@mantine/core/styles/${name}.css"`),
    [],
  );
});
