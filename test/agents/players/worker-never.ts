/** A module that never comes to its end. */
import { setInterval as every } from 'node:timers';

every(() => {}, 1_000);
await new Promise(() => {});
export default null;
