import { adoptEach } from './suite.ts';

/** Those that must not be served. */
adoptEach(({ refused }) => refused !== undefined);
