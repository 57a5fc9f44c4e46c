import { enableCompileCache } from 'node:module';

/** Where `levain` starts. The cache keeps the compiled form of every file that is loaded after this line. */
enableCompileCache();
const { main } = await import('./main.ts');
const exitCode = await main(process.argv.slice(2));
process.exit(exitCode || process.exitCode || 0);
