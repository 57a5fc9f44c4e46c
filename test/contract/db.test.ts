import { eachDatabase } from '../support/db.ts';
import { describeDb } from './db.contract.ts';

eachDatabase((_name, open) => describeDb(open));
