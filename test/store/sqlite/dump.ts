/** Writes src/store/sqlite/schema.sql anew, after a migration was added. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { dumpSchema, migrate } from '../../../src/store/sqlite/migrate.ts';
import { root } from '../../tidy/files.ts';

using db = new DatabaseSync(':memory:');
migrate(db, 0);
writeFileSync(join(root, 'src/store/sqlite/schema.sql'), dumpSchema(db));
