export { createKernels } from './kernels.ts';
