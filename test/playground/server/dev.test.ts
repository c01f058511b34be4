import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test, vi } from 'vitest';
import type { AppReport } from '../../../src/playground/api.ts';
import type { SentReport } from '../../../src/playground/sent.ts';
import { RunningCommand, run, temporaryDirectory } from '../../support/command.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';

/** CommonJS takes no URL. */
const FLOWGATE_PATH = JSON.stringify(fileURLToPath(new URL('../../../dist/index.js', import.meta.url)));
const FLOWGATE = JSON.stringify(new URL('../../../dist/index.js', import.meta.url).href);
const SAVES = 4;
/** For all of them. */
const WAIT_MS = 24_000;
const running: RunningCommand[] = [];

afterAll(async () => {
  for (const { process } of running) process.kill('SIGTERM');
  await Promise.all(running.map(({ ended }) => ended));
});

const reportAt = async (url: string) => (await fetch(`${url}/api/app`)).json() as Promise<AppReport>;

/** A development server over files of its own. */
class Project {
  readonly directory = temporaryDirectory();
  readonly env: Record<string, string>;

  constructor(env: Record<string, string> = {}) {
    this.env = {
      HOST: '127.0.0.1',
      PORT: '0',
      ADMIN_PORT: '0',
      WORKERS: '1',
      DATA_DIR: join(this.directory, 'data'),
      ...env,
    };
  }

  write(name: string, text: string): string {
    const path = join(this.directory, name);
    writeFileSync(path, text);
    return path;
  }

  dev(name: string): RunningCommand {
    const command = new RunningCommand(['dev', join(this.directory, name)], this.env);
    running.push(command);
    return command;
  }

  /** Saves again when nothing came of it: the watcher's own watch may not have been there yet. */
  async save(
    name: string,
    text: string,
    url: string,
    wanted: (report: AppReport) => void,
    saves = SAVES,
  ): Promise<AppReport> {
    for (let save = 1; ; save++) {
      this.write(name, text);
      const look = async () => {
        const report = await reportAt(url);
        wanted(report);
        return report;
      };
      try {
        return await vi.waitFor(look, { timeout: WAIT_MS / saves, interval: 20 });
      } catch (error) {
        if (save === saves) throw error;
      }
    }
  }
}

const APP = `
  import { createApp } from ${FLOWGATE};
  import json from './flow.json' with { type: 'json' };
  import { name } from './name.mjs';
  const app = createApp();
  app.flow(name, { json }).init((c) => c.screen('A', {}));
  export default app;`;
const json = (routes: object, text = 'fine') =>
  JSON.stringify({
    version: '7.3',
    data_api_version: '4.0',
    routing_model: routes,
    screens: [{ id: 'A', title: text }],
  });

test('a save that breaks the app shows why, at the same address, and the next one brings it back', async () => {
  const project = new Project();
  project.write('app.mjs', APP);
  project.write('flow.json', json({ A: [] }));
  project.write('name.mjs', "export const name = 'first';");
  const dev = project.dev('app.mjs');
  const [, url = ''] = await dev.printed(/in a browser +(http:\/\/127\.0\.0\.1:\d+\/playground)\n/);
  const first = await reportAt(url);
  expect(first.flows.map(({ name }) => name)).toEqual(['first']);

  const fails = (message: RegExp, details: RegExp) => (report: AppReport) => {
    expect(report.failure?.message).toMatch(message);
    expect(report.failure?.details).toMatch(details);
    expect(report.failure?.file).toBe(join(project.directory, 'app.mjs'));
    expect(report).toMatchObject({ flows: [], publicUrl: '' });
  };
  const serves = (name: string) => (report: AppReport) => {
    expect(report.failure).toBeUndefined();
    expect(report.flows[0]?.name).toBe(name);
  };
  const works = (name: string) => `export const name = '${name}';`;

  const bootIds = [
    await project.save(
      'name.mjs',
      'export const name = ;',
      url,
      fails(/cannot be loaded: Unexpected token/, /name\.mjs:1\nexport const name = ;\n +\^/),
    ),
    await project.save('name.mjs', works('second'), url, serves('second')),
    await project.save('name.mjs', '', url, fails(/does not provide an export named 'name'/, /app\.mjs:4/)),
    await project.save(
      'name.mjs',
      "export const name = 'x'; throw new Error('no <b>database</b>');",
      url,
      fails(/: no <b>database/, /at .*name\.mjs:1/),
    ),
    await project.save('name.mjs', works('third'), url, serves('third')),
    await project.save(
      'name.mjs',
      "export const name = 'x'; throw null;",
      url,
      fails(/cannot be loaded: null/, /^null$/),
    ),
    await project.save('name.mjs', works('fourth'), url, serves('fourth')),
    await project.save(
      'app.mjs',
      'export default 7;',
      url,
      fails(/exports no app/, /end it with "export default app"/),
    ),
    await project.save('app.mjs', APP, url, serves('fourth')),
    await project.save('flow.json', '{"version":', url, fails(/cannot be loaded: /, /flow\.json/)),
    await project.save('flow.json', json({ A: ['NOWHERE'] }), url, fails(/NOWHERE/, /FLOW_JSON_INVALID/)),
    await project.save('flow.json', json({ A: [] }), url, serves('fourth')),
    await project.save('name.mjs', works('Not A Name'), url, fails(/lower-case letters/, /TypeError/)),
    await project.save('name.mjs', works('last'), url, serves('last')),
  ].map(({ bootId }) => bootId);
  expect(new Set([first.bootId, ...bootIds]).size).toBe(bootIds.length + 1);
}, 180_000);

test.each(['module', 'commonjs'])(
  'in a project of type %s a file that was missing brings the app back, and so does a Flow JSON that is saved',
  async (type) => {
    const project = new Project();
    project.write('package.json', JSON.stringify({ type }));
    project.write(
      'app.ts',
      `import { createApp } from ${type === 'module' ? FLOWGATE : FLOWGATE_PATH};
      import json from './flow.json';
      import { name } from './name.ts';
      const app = createApp();
      app.flow(name, { json: json as never }).init((c) => c.screen('A' as never, {}));
      export default app;`,
    );
    const dev = project.dev('app.ts');
    const [, url = ''] = await dev.printed(/in a browser +(http\S+)\n/);
    const missing = (file: RegExp) => (report: AppReport) => expect(report.failure?.message).toMatch(file);
    const titled = (title: string) => (report: AppReport) => {
      expect(report.failure?.details).toBeUndefined();
      expect(report.flows[0]?.json?.screens[0]).toMatchObject({ title });
    };
    await eventually(async () => missing(/flow\.json|name\.ts/)(await reportAt(url)));
    await project.save('name.ts', "export const name: string = 'demo';", url, missing(/flow\.json/), 1);
    await project.save('flow.json', json({ A: [] }, 'first'), url, titled('first'), 1);
    await project.save('flow.json', json({ A: [] }, 'second'), url, titled('second'), 1);
    await project.save('flow.json', '{', url, missing(/cannot be loaded/), 1);
    await project.save('flow.json', json({ A: [] }, 'third'), url, titled('third'), 1);
  },
  120_000,
);

test('while there is no app, its page is served, and its calls are refused with a sentence', async () => {
  const project = new Project();
  project.write(
    'app.mjs',
    "setInterval(() => {}, 1000); Promise.reject(new Error('left alone')); throw new Error('no');",
  );
  const dev = project.dev('app.mjs');
  const [, url = ''] = await dev.printed(/in a browser +(http\S+)\n/);
  await eventually(async () => expect((await reportAt(url)).failure?.message).toContain('cannot be loaded: no'));
  expect((await fetch(`${url}/`)).status).toBe(200);
  expect((await fetch(url.replace('/playground', '/metrics'))).status).toBe(404);
  for (const call of ['public-key', 'inbox', 'nope']) {
    const response = await fetch(`${url}/api/${call}`);
    expect([response.status, await response.json()]).toEqual([404, { error: expect.stringContaining('no app') }]);
  }
  dev.process.kill('SIGTERM');
  const { code, stderr } = await dev.ended;
  expect(code).toBe(0);
  expect(stderr).toContain('left alone');
  expect(stderr).not.toContain('Force killing');
});

test('a port for its requests that is taken is told on the page', async () => {
  const project = new Project();
  const port = new URL(await occupied()).port;
  project.write('app.mjs', `import { createApp } from ${FLOWGATE}; export default createApp();`);
  const dev = new RunningCommand(['dev', '--port', port, join(project.directory, 'app.mjs')], project.env);
  running.push(dev);
  const [, url = ''] = await dev.printed(/in a browser +(http\S+)\n/);
  await eventually(async () => {
    expect((await reportAt(url)).failure?.message).toContain(`cannot listen on 127.0.0.1:${port}: the port is taken`);
  });
});

/** A first development server, with its playground. */
async function occupied(env: Record<string, string> = {}): Promise<string> {
  const project = new Project(env);
  project.write('app.mjs', `import { createApp } from ${FLOWGATE}; export default createApp();`);
  const dev = project.dev('app.mjs');
  const [, url = ''] = await dev.printed(/in a browser +(http\S+)\/playground\n/);
  return url;
}

test('two development servers at once: the second tells which setting gives it a port of its own', async () => {
  const port = String(await freePort());
  const url = await occupied({ ADMIN_PORT: port });
  expect(new URL(url).port).toBe(port);
  const second = new Project({ ADMIN_PORT: port });
  second.write('app.mjs', 'export default 7;');
  const { code, stderr } = await run(['dev', join(second.directory, 'app.mjs')], second.env);
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: `flowgate: port ${port}, where the playground would be, is taken: does another "flowgate dev" run? Set ADMIN_PORT to one that is free\n`,
  });
});

test('without GRAPH_TOKEN, what the booking example replies with comes to the playground', async () => {
  const { env } = new Project();
  const dev = new RunningCommand(['dev', 'examples/booking/app.ts'], env);
  running.push(dev);
  const [, url = ''] = await dev.printed(/in a browser +(http\S+)\n/);
  const headers = { 'X-Playground': '1' };
  const body = JSON.stringify({ kind: 'text', text: 'hi' });
  expect((await fetch(`${url}/api/webhook`, { method: 'POST', headers, body })).status).toBe(200);
  await eventually(async () => {
    const { sent } = (await (await fetch(`${url}/api/sent`)).json()) as SentReport;
    expect(sent).toMatchObject([{ content: { type: 'flow', button: { flow: 'booking' } } }]);
  });
});
