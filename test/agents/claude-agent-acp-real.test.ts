/** The driver with the real ACP adapter of Claude Code, offline. Left out, and said so, where it is not installed. */
import { realTests } from './real/acp.ts';

realTests('claude-agent-acp', { steers: true, models: { other: 'sonnet' } });
