/** Settings of agents' programs that allow more than a policy: each is found, and overruled or refused. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { acpDriver } from '../../src/agents/acp/driver.ts';
import { copilotWidening } from '../../src/agents/acp/profiles/copilot-settings.ts';
import { geminiArgs, geminiWidening } from '../../src/agents/acp/profiles/gemini-settings.ts';
import { programOptions } from '../../src/agents/claude/options.ts';
import { settingsOver as claudeOver, widening as claudeWidening } from '../../src/agents/claude/settings.ts';
import { codexDriver } from '../../src/agents/codex/driver.ts';
import { settingsOver as codexOver, widening as codexWidening } from '../../src/agents/codex/settings.ts';
import type { AgentStart } from '../../src/agents/port.ts';
import { describeWidening, type Widening } from '../../src/agents/shared/widening.ts';
import { incarnation, sessionKey } from '../../src/core/model/ids.ts';

let root = '';
let folder = '';
let env: { readonly [name: string]: string } = {};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'signalbox-widening-'));
  folder = join(root, 'folder');
  mkdirSync(folder);
  env = { HOME: join(root, 'home') };
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

function write(path: string, content: object | string): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
}

const named = (found: readonly Widening[]): readonly string[] =>
  found.map((one) => `${describeWidening(one).replaceAll(root, '')}${one.overruled ? '' : ', refused'}`);

const start = (): AgentStart => ({
  session: sessionKey('s'),
  incarnation: incarnation(1),
  conversation: null,
  model: null,
  folder,
  emit: () => {},
  onProcess: () => {},
});

describe('W03: of Claude Code', () => {
  beforeEach(() => {
    write('home/.claude/settings.json', {
      permissions: {
        allow: ['Bash(npm test:*)', 'mcp__a__b'],
        defaultMode: 'acceptEdits',
        additionalDirectories: ['/etc', '../b'],
      },
      hooks: { PreToolUse: [], Stop: [] },
    });
  });

  test('every setting that widens is named with its file', () => {
    write('folder/.claude/settings.local.json', {});
    write('folder/.mcp.json', {});
    expect(named(claudeWidening({ env, folder }))).toEqual([
      'permissions.allow: Bash(npm test:*) in /home/.claude/settings.json',
      'permissions.allow: mcp__a__b in /home/.claude/settings.json',
      'permissions.defaultMode: acceptEdits in /home/.claude/settings.json',
      'permissions.additionalDirectories: /etc in /home/.claude/settings.json',
      'permissions.additionalDirectories: ../b in /home/.claude/settings.json',
      'hooks.PreToolUse in /home/.claude/settings.json',
      'all settings of the folder in /folder/.claude/settings.local.json',
      'all settings of the folder in /folder/.mcp.json',
    ]);
    expect(claudeWidening({ env: { HOME: '/nowhere' }, folder: null })).toEqual([]);
  });

  test('what is allowed there has to be asked for', () => {
    expect(claudeOver({ env, folder })).toMatchObject({ permissions: { defaultMode: 'default' } });
    const { ask } = claudeOver({ env, folder })['permissions'] as { readonly ask: readonly string[] };
    for (const rule of ['Bash', 'Read', 'Write', 'mcp__a__b', 'Bash(npm test:*)', 'Read(//etc/**)', 'Edit(../b/**)']) {
      expect(ask).toContain(rule);
    }
    // Without hooks, Claude Code decides by itself about commands that only read.
    write('home/.claude/settings.json', {});
    expect(claudeOver({ env, folder })['permissions']).toEqual({
      ask: ['Edit', 'Write', 'NotebookEdit', 'WebFetch', 'WebSearch'],
      defaultMode: 'default',
    });
  });

  test('the settings of the folder are not read, unless they are trusted, and flags of the user stand', () => {
    const opening = { kind: 'fresh', conversation: 'c' } as const;
    const argsOf = (options: object): readonly string[] =>
      programOptions({ ambient: env, ...options }, opening, null, folder).args ?? [];
    expect(argsOf({}).join(' ')).toContain(`--add-dir ${folder} --permission-mode default --setting-sources user`);
    expect(argsOf({ args: ['--permission-mode=plan'] }).join(' ')).not.toContain('--permission-mode default');
    expect(argsOf({ trustSettings: true }).join(' ')).not.toMatch(/--setting|--permission-mode|--add-dir/);
  });
});

describe('W03: of Codex', () => {
  test('rules that allow are refused, and other ones are not', () => {
    write('home/.codex/rules/a.rules', 'prefix_rule(pattern=["git"], decision="prompt")\n');
    expect(codexWidening({ env, folder })).toEqual([]);
    write('home/.codex/rules/b.rules', 'prefix_rule(pattern=["touch"])\n# decision="prompt"\n');
    expect(named(codexWidening({ env, folder }))).toEqual(['rules that allow in /home/.codex/rules/b.rules, refused']);
    const driver = codexDriver({ ambient: env, passEnv: ['HOME'], command: '/nonexistent' });
    expect(() => driver.start(start())).toThrow(/rules that allow in .*b\.rules/);
  });

  test('a tool that is approved for good is refused', () => {
    write('codex/config.toml', '[mcp_servers.a]\ndefault_tools_approval_mode = "approve"\n');
    expect(named(codexWidening({ env: { ...env, CODEX_HOME: join(root, 'codex') }, folder }))).toEqual([
      'default_tools_approval_mode = "approve" in /codex/config.toml, refused',
    ]);
  });

  test('the settings of the folder, and of the project above it, make it untrusted', () => {
    const untrusted = `projects={"${folder}"={trust_level="untrusted"}}`;
    expect(codexOver({ env, folder })).not.toContain(untrusted);
    write('.git/HEAD', '');
    write('.codex/config.toml', '');
    expect(named(codexWidening({ env, folder }))).toEqual(['all settings of the folder in /.codex']);
    expect(codexOver({ env, folder })).toContain(untrusted);
    expect(codexOver({ env, folder: null })).toEqual(['-c', 'features.hooks=false', '-c', 'notify=[]']);
  });
});

describe('W03: of Copilot CLI', () => {
  test('hooks, and servers of a trusted folder, are refused', () => {
    write('folder/.mcp.json', {});
    write('folder/.github/workflows/a.json', {});
    expect(copilotWidening({ env, folder })).toEqual([]);
    write('.git/HEAD', '');
    write('.github/hooks/a.json', {});
    write('home/.copilot/hooks/b.json', {});
    write('home/.copilot/settings.json', { hooks: { preToolUse: [] }, trustedFolders: [root] });
    expect(named(copilotWidening({ env, folder }))).toEqual([
      'hooks in /home/.copilot/settings.json, refused',
      'hooks in /home/.copilot/hooks/b.json, refused',
      'hooks in /.github/hooks/a.json, refused',
      'settings of a trusted folder in /folder/.mcp.json, refused',
    ]);
    expect(copilotWidening({ env, folder: null })).toHaveLength(2);
  });
});

describe('W03: of Gemini CLI', () => {
  const settings = {
    tools: { allowed: ['run_shell_command'] },
    general: { defaultApprovalMode: 'auto_edit' },
  };

  test('what flags overrule is named, and the flags stand unless the user gives them', () => {
    write('home/.gemini/settings.json', `// mine\n${JSON.stringify(settings)}`);
    expect(named(geminiWidening({ env, folder }))).toEqual([
      'tools.allowed: run_shell_command in /home/.gemini/settings.json',
      'general.defaultApprovalMode: auto_edit in /home/.gemini/settings.json',
    ]);
    expect(geminiArgs([])).toEqual([
      '--approval-mode',
      'default',
      '--allowed-tools',
      'none',
      '--policy',
      '/nonexistent/signalbox',
    ]);
    expect(geminiArgs(['--policy=mine', '--approval-mode', 'plan'])).toEqual(['--allowed-tools', 'none']);
  });

  test('what no flag overrules is refused', () => {
    write('home/.gemini/settings.json', {
      context: { includeDirectories: ['/etc'] },
      mcpServers: { a: { trust: true }, b: {} },
    });
    expect(named(geminiWidening({ env, folder }))).toEqual([
      'context.includeDirectories: /etc in /home/.gemini/settings.json, refused',
      'mcpServers.a.trust in /home/.gemini/settings.json, refused',
    ]);
    const driver = acpDriver({ profile: 'gemini', ambient: env, passEnv: ['HOME'], command: '/nonexistent' });
    expect(() => driver.start(start())).toThrow(/includeDirectories/);
  });

  test('what a trusted folder would start is refused', () => {
    write('folder/.gemini/settings.json', {
      hooks: { BeforeTool: [] },
      mcpServers: { b: {} },
      tools: { callCommand: 'x' },
    });
    expect(geminiWidening({ env, folder })).toEqual([]);
    expect(named(geminiWidening({ env: { ...env, GEMINI_CLI_TRUST_WORKSPACE: 'true' }, folder }))).toEqual([
      'hooks in /folder/.gemini/settings.json, refused',
      'mcpServers in /folder/.gemini/settings.json, refused',
      'tools.callCommand in /folder/.gemini/settings.json, refused',
    ]);
  });
});
