import { adoptEach } from './suite.ts';

/** Those that answer numbers, and those that need the packages of 2021 or must find their own. */
adoptEach(({ refused, environment, task }) => !refused && (environment !== 'today' || task === 'regression'));
