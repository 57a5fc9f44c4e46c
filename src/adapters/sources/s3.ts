import type { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { AppError, messageOf } from '../../kernel/errors.ts';
import type { Source, SourceFile } from '../../ports/source.ts';
import { MAX_FILES } from './files.ts';
import { fixedFolder, globToRegExp, isGlob } from './globs.ts';

export interface S3SourceOptions {
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

/** `s3://bucket/key`, a folder ending in a slash, or a glob; read with what the AWS chain finds unless told otherwise. */
export function s3Source(from: string, options: S3SourceOptions): Source {
  const { bucket, pattern } = parseAddress(from);
  const folder = fixedFolder(pattern);
  const test = globToRegExp(
    isGlob(pattern) ? pattern : pattern.endsWith('/') || pattern === '' ? `${pattern}**` : pattern,
  );
  let client: Promise<S3Client> | undefined;

  const connect = (): Promise<S3Client> => {
    client ??= createClient(options);
    return client;
  };

  async function list(): Promise<readonly SourceFile[]> {
    const { paginateListObjectsV2 } = await import('@aws-sdk/client-s3');
    const files: SourceFile[] = [];
    const prefix = isGlob(pattern) ? folder : pattern;
    for await (const { Contents = [] } of paginateListObjectsV2(
      { client: await connect() },
      { Bucket: bucket, Prefix: prefix },
    )) {
      for (const { Key = '', Size = 0, ETag = '' } of Contents) {
        if (!Key.endsWith('/') && test.test(Key))
          files.push({ name: Key.slice(folder.length), sizeBytes: Size, stamp: ETag });
      }
      if (files.length > MAX_FILES) throw new AppError('too_large', `${from} matches more than ${MAX_FILES} objects`);
    }
    if (files.length === 0) throw new AppError('not_found', `No object matches "${from}"`);
    return files.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async function open(name: string): Promise<Readable> {
    const { GetObjectCommand } = await import('@aws-sdk/client-s3');
    const answer = await (await connect()).send(new GetObjectCommand({ Bucket: bucket, Key: folder + name }));
    return answer.Body as Readable;
  }

  return {
    list: () => list().catch(rethrow(from)),
    open: (name) => open(name).catch(rethrow(`s3://${bucket}/${folder}${name}`)),
  };
}

function parseAddress(from: string): { bucket: string; pattern: string } {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(from);
  if (!match)
    throw new AppError('invalid', `"${from}" is not an S3 address; write for example s3://bucket/data/*.parquet`);
  return { bucket: match[1]!, pattern: match[2] ?? '' };
}

const endpointOfEnvironment = (): string | undefined =>
  process.env['AWS_ENDPOINT_URL_S3'] || process.env['AWS_ENDPOINT_URL'] || undefined;

async function createClient({
  endpoint = endpointOfEnvironment(),
  region,
  credentials,
}: S3SourceOptions): Promise<S3Client> {
  const { S3Client } = await import('@aws-sdk/client-s3');
  return new S3Client({
    region: region ?? process.env['AWS_REGION'] ?? 'us-east-1',
    ...(endpoint ? { endpoint, forcePathStyle: true } : {}),
    ...(credentials ? { credentials } : {}),
  });
}

const rethrow =
  (what: string) =>
  (error: unknown): never => {
    if (error instanceof AppError) throw error;
    const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
    if (status === 404) throw new AppError('not_found', `There is no ${what}`, undefined, error);
    throw new AppError('unavailable', `${what} cannot be read (${messageOf(error)})`, undefined, error);
  };
