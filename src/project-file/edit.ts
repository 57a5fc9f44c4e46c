import { isMap, parseDocument } from 'yaml';
import type { Json } from '../kernel/canonical-json.ts';
import { AppError } from '../kernel/errors.ts';
import { parseProjectFile } from './parse.ts';

const SCHEMA_LINE = '# yaml-language-server: $schema=levain.schema.json\n';

/**
 * The text with one key set (`['deploy', 'churn', 'rollout']`) or, with `undefined`, removed; comments and order
 * stay, spaces inside flow sections are made even. Throws `invalid` where the outcome would not be a levain.yaml, and changes nothing then.
 */
export function setKey(text: string, path: readonly string[], value: Json | undefined, name = 'levain.yaml'): string {
  const doc = parseDocument(text, { version: '1.2', compat: 'yaml-1.1' });
  if (doc.errors.length > 0 || (doc.contents !== null && !isMap(doc.contents))) parseProjectFile(text, name);
  if (path.length === 0) throw new AppError('invalid', 'An edit needs a key; name one such as deploy.churn.rollout');
  if (value === undefined) doc.deleteIn(path);
  else doc.setIn(path, isStructure(value) ? doc.createNode(value, { flow: path.length > 1 }) : value);
  const edited = doc.toString({ lineWidth: 0, flowCollectionPadding: true });
  parseProjectFile(edited, name);
  return edited;
}

/** A new levain.yaml in its short form: a line a section, with the line that editors read the schema from. */
export function writeProjectFile(sections: Readonly<Record<string, Json>>): string {
  const lines = Object.entries(sections).map(([key, value]) => {
    const doc = parseDocument(`${key}: x`, { version: '1.2', compat: 'yaml-1.1' });
    doc.set(key, isStructure(value) ? doc.createNode(value, { flow: true }) : value);
    return doc.toString({ lineWidth: 0, flowCollectionPadding: true });
  });
  const text = SCHEMA_LINE + lines.join('');
  parseProjectFile(text, 'levain.yaml');
  return text;
}

const isStructure = (value: Json): boolean => typeof value === 'object' && value !== null;
