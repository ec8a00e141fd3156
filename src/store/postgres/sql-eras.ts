/**
 * The statements of eras. An era is one life of the database as its primary: a failover, a restore and a move to another cluster each begin
 * another. Nothing else tells that the last moments before it may be missing.
 */

/**
 * Which life this is. The timeline is in the control file before the first write of a primary: of the checkpoint, or of the end of the recovery
 * where no checkpoint was made since. With `synchronous_commit` off each start may have lost something.
 * https://www.postgresql.org/docs/current/functions-info.html#FUNCTIONS-INFO-CONTROLDATA
 */
export const lifeOf = `(
  SELECT system_identifier::text FROM pg_control_system()
) || ':' || greatest(
  (SELECT timeline_id FROM pg_control_checkpoint()), (SELECT min_recovery_end_timeline FROM pg_control_recovery())
) || CASE current_setting('synchronous_commit') WHEN 'off' THEN ':' || pg_postmaster_start_time() ELSE '' END`;

/**
 * The newest era, and whether it is that of this life: surely so within one start of the server. To look at its control file takes longer, and is
 * needed after a start alone.
 */
const newest = (s: string): string =>
  `(SELECT era, token, settled, life, started IS NOT DISTINCT FROM pg_postmaster_start_time() AS now FROM ${s}.eras ORDER BY era DESC LIMIT 1)`;

/** Sessions may be claimed. */
export const isSettled = (s: string): string => `(SELECT e.settled AND e.now FROM ${newest(s)} AS e)`;

/** It is the era whose token `token` is. */
export const isEra = (s: string, token: string): string =>
  `(SELECT e.token = ${token} AND e.now FROM ${newest(s)} AS e)`;

/** For a FROM, as `e`. */
export const ofEra = (s: string): string => `${newest(s)} AS e`;

export const eras = (s: string) => ({
  era: `SELECT era, token, settled, now FROM ${newest(s)} AS e`,
  /** Where the newest is not known to be of this life: it is, or another begins. In the first one of all nothing can be missing. */
  beginEra: `
    WITH same AS (
      UPDATE ${s}.eras AS e SET started = pg_postmaster_start_time() FROM ${newest(s)} AS n
      WHERE e.era = n.era AND (n.now OR n.life = ${lifeOf}) RETURNING e.era
    )
    INSERT INTO ${s}.eras (system_identifier, life, started, follows, settled)
    SELECT (SELECT system_identifier::text FROM pg_control_system()), ${lifeOf}, pg_postmaster_start_time(), coalesce(max(era), 0), max(era) IS NULL
    FROM ${s}.eras HAVING NOT EXISTS (SELECT FROM same)
    ON CONFLICT (follows) DO NOTHING`,
});
