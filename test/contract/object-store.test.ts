import { join } from 'node:path';
import { describe } from 'node:test';
import { openFsObjects } from '../../src/adapters/objects-fs/index.ts';
import { openS3Objects } from '../../src/adapters/objects-s3/index.ts';
import { s3Missing, startS3 } from '../support/s3.ts';
import { tempDir } from '../support/temp.ts';
import { describeObjectStore } from './object-store.contract.ts';

describe('objects as files', () => describeObjectStore(() => openFsObjects({ dir: join(tempDir(), 'objects') })));

describe('objects in S3', { skip: s3Missing() ?? false }, () =>
  describeObjectStore(async () => {
    const options = await startS3();
    return openS3Objects({ ...options, url: `${options.url}/some/prefix` });
  }),
);
