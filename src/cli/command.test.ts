import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError, type ErrorCode } from '../kernel/errors.ts';
import { EXIT, exitCodeOf } from './command.ts';

test('every error has an exit code that is not zero, those of a server that failed too', () => {
  assert.equal(exitCodeOf(new AppError('internal' as ErrorCode, 'It failed')), EXIT.failure);
  assert.equal(exitCodeOf(new TypeError('x')), EXIT.failure);
  assert.equal(exitCodeOf(new AppError('not_found', 'x')), EXIT.notFound);
  assert.equal(exitCodeOf(new AppError('conflict', 'x', { exitCode: EXIT.gateFailed })), EXIT.gateFailed);
});
