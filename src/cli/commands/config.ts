import { explain, jsonSchema } from '../../project-file/index.ts';
import { PROJECT_FILE } from '../apply.ts';
import { addExamples, type CommandModule } from '../command.ts';
import { projectFileHere } from './data.ts';

const explainCommand: CommandModule = {
  name: 'explain',
  group: 'Admin',
  summary: 'Print each value of levain.yaml and where it comes from',
  configure(cmd) {
    cmd.argument('[key]', 'model.gate, deploy.churn.rollout; without it, everything');
    addExamples(cmd, [['levain config explain model.gate', 'what the gate does here, and which of it is a default']]);
  },
  async run({ cwd, out }, [key]) {
    const rows = explain(
      (await projectFileHere(cwd)).text,
      `${cwd}/${PROJECT_FILE}`,
      key === undefined ? undefined : String(key),
    );
    const text = out.table(
      ['KEY', 'VALUE', 'FROM'],
      rows.map((row) => [row.key, row.value, row.from]),
    );
    return { schema: 'config-explain/1', data: rows, text, next: ['levain apply --dry-run'] };
  },
};

const schemaCommand: CommandModule = {
  name: 'schema',
  group: 'Admin',
  summary: 'Print the JSON Schema of levain.yaml, for editors',
  configure(cmd) {
    addExamples(cmd, [['levain config schema > levain.schema.json', 'completion and checks while typing']]);
  },
  async run() {
    const schema = jsonSchema();
    return { schema: 'config-schema/1', data: schema, text: JSON.stringify(schema, null, 2) };
  },
};

export const command: CommandModule = {
  name: 'config',
  group: 'Admin',
  summary: 'Explain levain.yaml, or print its JSON Schema',
  configure(cmd) {
    addExamples(cmd, [['levain config explain', 'every value and where it comes from']]);
  },
  run: (context, args, options) => explainCommand.run!(context, args, options),
  subcommands: [explainCommand, schemaCommand],
};
