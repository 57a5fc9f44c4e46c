import type { InferRequest } from './request.ts';

/** Ways to send exactly this request without us. Each runs as it stands. */
export function snippetsOf(
  url: string,
  request: InferRequest,
): Readonly<Record<'curl' | 'Python' | 'TypeScript', string>> {
  return { curl: curlOf(url, request), Python: pythonOf(url, request), TypeScript: typescriptOf(url, request) };
}

const curlOf = (url: string, request: InferRequest): string =>
  `curl -s '${url}' \\\n  -H 'content-type: application/json' \\\n  -d '${lines(request, toJson).replaceAll("'", "'\\''")}'`;

const pythonOf = (url: string, request: InferRequest): string =>
  `# pip install requests; the Open Inference Protocol v2\nimport requests\n\nanswer = requests.post(\n    ${toPython(url)},\n    json=${lines(request, toPython)},\n)\nprint(answer.status_code, answer.json())`;

const typescriptOf = (url: string, request: InferRequest): string =>
  `const answer = await fetch(${toJson(url)}, {\n  method: 'POST',\n  headers: { 'content-type': 'application/json' },\n  body: JSON.stringify(${lines(request, toJson)}),\n});\nconsole.log(answer.status, await answer.text());`;

const toJson = (value: unknown): string => JSON.stringify(value);

/** JSON's words in Python's; JSON's texts are Python's as they are. */
function toPython(value: unknown): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (Array.isArray(value)) return `[${value.map(toPython).join(', ')}]`;
  if (typeof value === 'object')
    return `{${Object.entries(value)
      .map(([name, each]) => `${JSON.stringify(name)}: ${toPython(each)}`)
      .join(', ')}}`;
  return JSON.stringify(value);
}

/** One input a line. */
function lines({ inputs, ...rest }: InferRequest, write: (value: unknown) => string): string {
  const more = Object.entries(rest).map(([name, value]) => `${JSON.stringify(name)}: ${write(value)}`);
  const list = `"inputs": [\n    ${inputs.map(write).join(',\n    ')}\n  ]`;
  return `{\n  ${[...more, list].join(',\n  ')}\n}`;
}
