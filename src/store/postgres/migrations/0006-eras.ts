/**
 * Lives of the database that a failover or a backup begins, told apart by more than their cluster, and whether sessions may be claimed in one.
 *
 * A daemon of the version before runs on beside it: what it reads and writes is as it was.
 */
export const eras = `
ALTER TABLE %.eras
  -- See \`sql-eras.ts\`. Null: the version before has begun it, which tells clusters apart alone.
  ADD COLUMN life text COLLATE "C",
  -- The start of the server in which it was seen last.
  ADD COLUMN started timestamptz,
  -- Two standbys that take over without knowing of each other begin lives of one name.
  ADD COLUMN token text COLLATE "C" NOT NULL DEFAULT gen_random_uuid()::text,
  -- The era before, 0 for the first; so that nodes that meet a life together begin one era.
  ADD COLUMN follows integer UNIQUE,
  -- A node has seen it for a whole time-to-live: no agent of the era before works any more.
  ADD COLUMN settled boolean NOT NULL DEFAULT false;
UPDATE %.eras SET settled = true, life = CASE WHEN era = (SELECT max(era) FROM %.eras) THEN (
  SELECT system_identifier::text FROM pg_control_system()
) || ':' || greatest(
  (SELECT timeline_id FROM pg_control_checkpoint()), (SELECT min_recovery_end_timeline FROM pg_control_recovery())
) || CASE current_setting('synchronous_commit') WHEN 'off' THEN ':' || pg_postmaster_start_time() ELSE '' END END;
`;
