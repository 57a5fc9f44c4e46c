export { createUvEnvironments, type UvEnvironmentsOptions } from './environments.ts';
export { lockDigest, parseLock, platformName } from './lock.ts';
