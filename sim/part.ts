/** One process of a campaign: takes its options as JSON, and writes its report as JSON. */
import { campaign } from './campaign.ts';
import type { Options } from './args.ts';

const [, , given = '{}', stride = '1'] = process.argv;
process.stdout.write(JSON.stringify(await campaign(JSON.parse(given) as Options, Number(stride))));
