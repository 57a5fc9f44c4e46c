export interface BoosterFormat {
  readonly format: 'xgboost' | 'lightgbm' | 'catboost' | 'keras' | 'onnx';
  readonly type: string;
  readonly features: readonly string[] | null;
}

const HEAD_BYTES = 4_096;

/** Formats of libraries' own, told by their first bytes. They hold numbers and no code; only their library reads them. */
export function boosterFormat(bytes: Uint8Array, name: string): BoosterFormat | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, HEAD_BYTES)).toString('latin1');
  if (head.startsWith('CBM1')) return told('catboost', 'catboost.CatBoost');
  if (/^tree\r?\nversion=/.test(head))
    return { ...told('lightgbm', 'lightgbm.Booster'), features: lightgbmNames(head) };
  if (/^\{[L"\s]/.test(head) && head.includes('learner')) return told('xgboost', 'xgboost.Booster');
  if (head.startsWith('binf')) return told('xgboost', 'xgboost.Booster');
  if (head.startsWith('\x89HDF')) return told('keras', 'keras.Model');
  if (head.startsWith('PK') && name.endsWith('.keras')) return told('keras', 'keras.Model');
  if (name.endsWith('.onnx') && bytes[0] === 0x08) return told('onnx', 'onnx.ModelProto');
  return undefined;
}

const told = (format: BoosterFormat['format'], type: string): BoosterFormat => ({ format, type, features: null });

function lightgbmNames(head: string): string[] | null {
  const match = /\nfeature_names=([^\r\n]+)\r?\n/.exec(head);
  return match ? match[1]!.split(' ') : null;
}
