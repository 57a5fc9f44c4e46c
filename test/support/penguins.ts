import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const VEGA = join(import.meta.dirname, '../../node_modules/vega-datasets/data');

/** Is this penguin male? Dummies, a dropna and a scaler stand between the file and the model; nothing logs anything. */
export const PENGUIN_CELLS = [
  'import pandas as pd\nimport numpy as np\n%matplotlib inline',
  "df = pd.read_csv('/content/drive/MyDrive/penguins.csv')\ndf.head()",
  "df = df[df['Sex'].isin(['MALE', 'FEMALE'])].dropna()\nprint(df.shape)",
  "df['ratio'] = df['Beak Length (mm)'] / df['Beak Depth (mm)']",
  "y = (df['Sex'] == 'MALE').astype(int)\nX = pd.get_dummies(df.drop(columns=['Sex']))",
  'from sklearn.model_selection import train_test_split\nX_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=4)',
  'from sklearn.preprocessing import StandardScaler\nscaler = StandardScaler()\nX_train_s = scaler.fit_transform(X_train)\nX_test_s = scaler.transform(X_test)',
  'from sklearn.linear_model import LogisticRegression\nmodel = LogisticRegression(max_iter=1000)\nmodel.fit(X_train_s, y_train)',
  'from sklearn.metrics import accuracy_score\npred = model.predict(X_test_s)\nprint("accuracy", accuracy_score(y_test, pred))',
];

/** A notebook as Jupyter writes it. */
export const notebookOf = (cells: readonly string[]): string =>
  JSON.stringify({
    nbformat: 4,
    nbformat_minor: 4,
    metadata: { kernelspec: { name: 'python3', display_name: 'Python 3', language: 'python' } },
    cells: cells.map((source) => ({ cell_type: 'code', source, metadata: {}, outputs: [], execution_count: null })),
  });

/** The penguins as a CSV. */
export function penguins(): string {
  const rows = JSON.parse(readFileSync(join(VEGA, 'penguins.json'), 'utf8')) as Record<string, unknown>[];
  const names = Object.keys(rows[0]!);
  const lines = rows.map((row) => names.map((name) => row[name] ?? '').join(','));
  return `${[names.join(','), ...lines].join('\n')}\n`;
}
