import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { AppError, isAppError, messageOf } from '../../kernel/errors.ts';
import { assertObjectKey, type ByteRange, type ObjectInfo, type ObjectStore } from '../../ports/object-store.ts';

export interface S3Options {
  /** `s3://bucket/prefix`. */
  readonly url: string;
  /** For servers other than AWS; path-style addresses are then used. Default: AWS_ENDPOINT_URL_S3, else AWS itself. */
  readonly endpoint?: string | undefined;
  readonly region?: string | undefined;
  /** Default: what the AWS chain finds (environment, profile, instance). */
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

/** 5 TiB in 10,000 parts needs more; 16 MiB parts reach 156 GiB in bounded memory. */
const PART_SIZE_BYTES = 16 * 2 ** 20;
const CONCURRENT_PARTS = 3;

type Sdk = typeof import('@aws-sdk/client-s3');

/**
 * Objects in a bucket that exists. Uploads are conditional (`If-None-Match: *`) and multipart above 16 MiB; a failed one is
 * aborted. The SDK is loaded on the first use of this adapter.
 */
export async function openS3Objects(options: S3Options): Promise<ObjectStore> {
  const { bucket, prefix } = parseUrl(options.url);
  const sdk = await import('@aws-sdk/client-s3');
  const client = createClient(sdk, options);
  const nameOf = (key: string): string => {
    assertObjectKey(key);
    return prefix + key;
  };
  const common = (key: string) => ({ Bucket: bucket, Key: nameOf(key) });

  return {
    async putIfAbsent(key, body) {
      if (body instanceof Readable) body.on('error', () => {});
      const target = { ...common(key), IfNoneMatch: '*' };
      const isSmall = !(body instanceof Readable) && body.byteLength <= PART_SIZE_BYTES;
      return conditionally(body, () =>
        isSmall
          ? client.send(new sdk.PutObjectCommand({ ...target, Body: body }))
          : upload(client, { ...target, Body: toReadable(body) }),
      );
    },
    async get(key, range) {
      if (range?.end !== undefined && range.start >= range.end) return emptyRange(key, range);
      const header = range ? { Range: `bytes=${range.start}-${range.end === undefined ? '' : range.end - 1}` } : {};
      const answer = await client
        .send(new sdk.GetObjectCommand({ ...common(key), ...header }))
        .catch(failure(key, range));
      const body = answer.Body as Readable;
      assertWhole(key, range, answer.ContentRange, body);
      return body;
    },
    async head(key) {
      const { ContentLength } = await client.send(new sdk.HeadObjectCommand(common(key))).catch(failure(key));
      return { key, sizeBytes: ContentLength ?? 0 };
    },
    list: (under) => listUnder(sdk, client, bucket, prefix, under),
    async delete(key) {
      await client.send(new sdk.DeleteObjectCommand(common(key))).catch(failure(key));
    },
  };
}

const endpointOfEnvironment = (): string | undefined =>
  process.env['AWS_ENDPOINT_URL_S3'] || process.env['AWS_ENDPOINT_URL'] || undefined;

/** The parts of `s3://bucket/some/prefix`; the prefix ends in a slash or is empty. */
export function parseUrl(url: string): { bucket: string; prefix: string } {
  const match = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(url);
  if (!match) throw new AppError('invalid', `"${url}" is not an S3 address; write for example s3://bucket/prefix`);
  const prefix = (match[2] ?? '').replace(/^\/+|\/+$/g, '');
  return { bucket: match[1]!, prefix: prefix ? `${prefix}/` : '' };
}

function createClient(sdk: Sdk, { endpoint = endpointOfEnvironment(), region, credentials }: S3Options): S3Client {
  return new sdk.S3Client({
    region: region ?? process.env['AWS_REGION'] ?? 'us-east-1',
    ...(endpoint ? { endpoint, forcePathStyle: true } : {}),
    ...(credentials ? { credentials } : {}),
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
  });
}

const toReadable = (body: Readable | Uint8Array): Readable => (body instanceof Readable ? body : Readable.from([body]));

type UploadParameters = { Bucket: string; Key: string; IfNoneMatch: string; Body: Readable };

async function upload(client: S3Client, params: UploadParameters): Promise<unknown> {
  const { Upload } = await import('@aws-sdk/lib-storage');
  return new Upload({ client, params, partSize: PART_SIZE_BYTES, queueSize: CONCURRENT_PARTS }).done();
}

/** False on 412 (exists) and on 409 (someone else is creating it). */
async function conditionally(body: Readable | Uint8Array, put: () => Promise<unknown>): Promise<boolean> {
  try {
    await put();
    return true;
  } catch (error) {
    if (body instanceof Readable) body.destroy();
    if ([412, 409].includes(statusOf(error))) return false;
    throw unavailable(error);
  }
}

const statusOf = (error: unknown): number =>
  (error as { $metadata?: { httpStatusCode?: number } })?.$metadata?.httpStatusCode ?? 0;

const failure =
  (key: string, range?: ByteRange) =>
  (error: unknown): never => {
    if (statusOf(error) === 404) throw new AppError('not_found', `There is no object ${key}`);
    if (statusOf(error) === 416) throw beyondEnd(key, range);
    throw unavailable(error);
  };

function unavailable(error: unknown): unknown {
  const status = statusOf(error);
  const isNetwork = status === 0 && typeof (error as { code?: unknown })?.code === 'string';
  if (isAppError(error) || (!isNetwork && status < 400)) return error;
  return new AppError(
    'unavailable',
    `The S3 server refused or failed (${messageOf(error)}); check its address and credentials`,
    { status },
    error,
  );
}

const beyondEnd = (key: string, range: ByteRange | undefined): AppError =>
  new AppError(
    'invalid',
    `Bytes ${range?.start} to ${range?.end ?? 'the end'} of object ${key} were asked for; it has fewer`,
  );

function emptyRange(key: string, range: ByteRange): Readable {
  if (range.start > range.end!) throw beyondEnd(key, range);
  return Readable.from([]);
}

/** S3 cuts a range at the object's end; we promised to refuse it. */
function assertWhole(
  key: string,
  range: ByteRange | undefined,
  contentRange: string | undefined,
  body: Readable,
): void {
  const total = Number(contentRange?.split('/')[1]);
  if (range?.end === undefined || Number.isNaN(total) || range.end <= total) return;
  body.destroy();
  throw beyondEnd(key, range);
}

async function* listUnder(
  sdk: Sdk,
  client: S3Client,
  bucket: string,
  prefix: string,
  under: string,
): AsyncGenerator<ObjectInfo> {
  let token: string | undefined;
  do {
    const page = await client
      .send(new sdk.ListObjectsV2Command({ Bucket: bucket, Prefix: prefix + under, ContinuationToken: token }))
      .catch(failure(under));
    for (const { Key, Size } of page.Contents ?? []) {
      if (Key) yield { key: Key.slice(prefix.length), sizeBytes: Size ?? 0 };
    }
    token = page.NextContinuationToken;
  } while (token);
}
