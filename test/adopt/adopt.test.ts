import { adoptEach } from './suite.ts';

/** Those that tell kinds apart, with today's packages. */
adoptEach(({ refused, environment, task }) => !refused && environment === 'today' && task !== 'regression');
