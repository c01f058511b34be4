/** What can be known of deploy/ without Docker and without a cluster: that it names what there is. */
import { execFile } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { createApp } from '../../src/app.ts';
import { temporaryDirectory } from '../support/command.ts';
import { startTestService } from '../support/service.ts';

const read = (path: string) => readFileSync(path, 'utf8');
const dockerfile = read('deploy/Dockerfile');
const compose = parse(read('deploy/compose.yaml')) as Compose;
const manifests = parseAllDocuments(read('deploy/kubernetes.yaml')).map((document) => {
  expect(document.errors).toEqual([]);
  return document.toJS() as Manifest;
});
const readme = read('deploy/README.md');
const packageJson = JSON.parse(read('package.json')) as { bin: Record<string, string> };

/** How long Flowgate takes to end, at most. */
const DRAIN_SECONDS = 15;
const SECRET = /^(?:APP_SECRET|VERIFY_TOKEN|PRIVATE_KEY|PASSPHRASE|GRAPH_TOKEN)$/;

interface Compose {
  readonly services: Record<string, ComposeService>;
  readonly secrets: Record<string, { file: string }>;
  readonly volumes: Record<string, unknown>;
}
interface ComposeService {
  readonly image?: string;
  readonly build?: { context: string; dockerfile: string; target: string };
  readonly command?: string[];
  readonly environment?: Record<string, string>;
  readonly secrets?: string[];
  readonly volumes?: string[];
  readonly ports?: string[];
  readonly stop_grace_period?: string;
}
interface Probe {
  readonly httpGet: { path: string; port: string };
}
interface Container {
  readonly args: string[];
  readonly envFrom: { configMapRef: { name: string } }[];
  readonly env?: { name: string; value: string }[];
  readonly ports: { name: string; containerPort: number }[];
  readonly startupProbe: Probe;
  readonly livenessProbe: Probe;
  readonly readinessProbe: Probe;
  readonly lifecycle?: { preStop: { exec: { command: string[] } } };
  readonly resources: { requests: object; limits: object };
  readonly securityContext: object;
  readonly volumeMounts: { name: string; mountPath: string }[];
}
interface PodSpec {
  readonly terminationGracePeriodSeconds: number;
  readonly securityContext: object;
  readonly topologySpreadConstraints: { labelSelector: { matchLabels: Labels } }[];
  readonly containers: [Container];
  readonly volumes: { name: string; secret?: { secretName: string; items?: { key: string }[] } }[];
}
type Labels = Record<string, string>;
interface Manifest {
  readonly kind: string;
  readonly metadata: { name: string };
  readonly data: Record<string, string>;
  readonly spec: {
    readonly selector: Labels & { matchLabels: Labels };
    readonly template: { metadata: { labels: Labels; annotations: Record<string, string> }; spec: PodSpec };
    readonly ports: { targetPort: string }[];
    readonly podSelector: { matchLabels: Labels };
    readonly ingress: { ports: { port: number }[] }[];
  };
}

const ofKind = (kind: string) => manifests.filter((manifest) => manifest.kind === kind);
const config = ofKind('ConfigMap')[0]?.data ?? {};
const deployments = ofKind('Deployment').map(({ metadata, spec }) => {
  const [container] = spec.template.spec.containers;
  const env = { ...config, ...Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value])) };
  return { name: metadata.name, spec, pod: spec.template.spec, container, env };
});

/** Names the code reads, each with its `_FILE` twin where it is a secret. */
function settingNames(): Set<string> {
  const sources = readdirSync('src/config').map((name) => read(`src/config/${name}`));
  const found = [...sources.join('\n').matchAll(/read\.(string|int|oneOf|secret)\(\s*'([A-Z_]+)'/g)];
  return new Set(found.flatMap(([, how, name = '']) => (how === 'secret' ? [name, `${name}_FILE`] : [name])));
}

const environments: [string, Record<string, string>][] = [
  ['compose.yaml', compose.services['flowgate']?.environment ?? {}],
  ...deployments.map(({ name, env }): [string, Record<string, string>] => [name, env]),
];

describe.each(environments)('%s', (_, env) => {
  test('names settings that there are', () => {
    const names = settingNames();
    expect(Object.keys(env).length).toBeGreaterThan(4);
    expect(Object.keys(env).filter((name) => !names.has(name))).toEqual([]);
  });

  test('gives no secret but by a file', () => {
    expect(Object.keys(env).filter((name) => SECRET.test(name))).toEqual([]);
    expect(env['REDIS_URL'] ?? '').not.toContain('@');
  });

  test('keeps the ports apart, at their defaults', () => {
    expect([env['PORT'], env['ADMIN_PORT']]).toEqual(['3000', '9464']);
    expect(dockerfile).toMatch(/^EXPOSE 3000 9464$/m);
  });
});

test('no file in deploy/ holds a key or a token', () => {
  expect(ofKind('Secret')).toEqual([]);
  for (const name of readdirSync('deploy')) {
    if (!statSync(join('deploy', name)).isFile()) continue;
    expect(read(join('deploy', name))).not.toMatch(/-----BEGIN|EAA[A-Za-z0-9]{20}|redis:\/\/[^\s/]*:[^\s/]*@/);
  }
});

describe('the Dockerfile', () => {
  const instructions = dockerfile.replaceAll(/\\\n/g, ' ').split('\n');
  const all = (name: string) =>
    instructions.filter((line) => line.trim().startsWith(`${name} `)).map((line) => line.trim().slice(name.length + 1));

  test('copies from the repository what is there, and what .dockerignore lets through', () => {
    const ignore = read('.dockerignore').split('\n');
    const sources = all('COPY')
      .filter((rest) => !rest.startsWith('--from'))
      .flatMap((rest) => rest.split(' ').slice(0, -1));
    expect(sources.length).toBeGreaterThan(8);
    for (const source of sources) {
      expect(existsSync(source), source).toBe(true);
      expect(ignore, source).toContain(`!${source}`);
    }
    expect(ignore).toContain('*');
  });

  test('runs the command of the package itself, without a shell, on an app that is there', () => {
    expect(all('ENTRYPOINT').map((text) => JSON.parse(text))).toEqual([
      ['node', `/app/${packageJson.bin['flowgate']}`],
    ]);
    expect(all('CMD').map((text) => JSON.parse(text))).toEqual([
      ['serve', 'app.js'],
      ['serve', 'examples/booking/app.ts'],
    ]);
    expect(existsSync('examples/booking/app.ts')).toBe(true);
    expect(all('STOPSIGNAL')).toEqual(['SIGTERM']);
    expect(all('USER')).toEqual(['1000:1000']);
    expect(all('VOLUME')).toEqual(['/data']);
    expect(all('ENV')).toEqual(['NODE_ENV=production DATA_DIR=/data']);
  });

  test('installs example dependencies that the package has', () => {
    const { devDependencies } = JSON.parse(read('package.json')) as { devDependencies: Record<string, string> };
    const [, names = ''] = /for name in ([a-z ]+);/.exec(dockerfile) ?? [];
    const imported = readdirSync('examples/booking')
      .filter((name) => name.endsWith('.ts'))
      .flatMap((name) =>
        [...read(`examples/booking/${name}`).matchAll(/ from '([a-z][^:']*)'/g)].map(([, from]) => from),
      );
    expect([...new Set(imported)].filter((name) => name !== 'flowgate').sort()).toEqual(names.split(' ').sort());
    for (const name of names.split(' ')) expect(devDependencies[name], name).toBeDefined();
  });

  test('has a health check that passes on a running service, and fails without one', async () => {
    const [, command = '[]'] = /HEALTHCHECK [^\n]*CMD (\[.*\])/.exec(instructions.join('\n')) ?? [];
    const [node, ...args] = JSON.parse(command) as [string, ...string[]];
    expect(node).toBe('node');
    const check = (port: string) => promisify(execFile)(process.execPath, args, { env: { ADMIN_PORT: port } });
    const service = await startTestService(createApp());
    const { port } = new URL(service.adminUrl);
    await check(port);
    await service.close();
    await expect(check(port)).rejects.toMatchObject({ code: 1 });
  });
});

test('prune.mjs leaves the binaries of this machine, which load', async () => {
  const modules = join(temporaryDirectory(), 'node_modules');
  const own = `uws_${process.platform}_${process.arch}_${process.versions.modules}.node`;
  for (const name of [
    'uWebSockets.js',
    '@libsql/linux-riscv64-gnu',
    '@libsql/linux-x64-musl',
    '@libsql/linux-arm64-musl',
  ])
    mkdirSync(join(modules, name), { recursive: true });
  for (const name of ['uws.js', 'package.json', own]) {
    cpSync(join('node_modules/uWebSockets.js', name), join(modules, 'uWebSockets.js', name));
  }
  writeFileSync(join(modules, 'uWebSockets.js', 'uws_win32_x64_115.node'), '');
  mkdirSync(join(modules, 'uWebSockets.js', 'src'));
  symlinkSync(join(process.cwd(), 'node_modules/libsql'), join(modules, 'libsql'));
  const pruned = promisify(execFile)(process.execPath, ['deploy/prune.mjs', dirname(modules)]);
  if (hasBinary()) expect((await pruned).stdout).toContain(`kept ${own}`);
  else await expect(pruned).rejects.toThrow(); // which is what ends the image's build
  expect(readdirSync(join(modules, 'uWebSockets.js')).sort()).toEqual(['package.json', own, 'uws.js'].sort());
  if (process.arch === 'x64') expect(readdirSync(join(modules, '@libsql'))).toEqual([]);
});

function hasBinary(): boolean {
  try {
    process.getBuiltinModule('node:module').createRequire(import.meta.url)('uWebSockets.js');
    return true;
  } catch {
    return false;
  }
}

describe('compose.yaml', () => {
  const { services, secrets, volumes } = compose;
  const bound = Object.values(services).flatMap(({ volumes = [] }) => volumes.map((volume) => volume.split(':')));

  test('mounts what is in the repository, volumes it declares, and secrets the README makes', () => {
    for (const [source = ''] of bound) {
      const path = normalize(join('deploy', source));
      if (!source.startsWith('.')) expect(Object.keys(volumes), source).toContain(source);
      else if (path.startsWith('deploy/secrets/')) expect(readme).toContain(path);
      else expect(existsSync(path), path).toBe(true);
    }
    for (const { file } of Object.values(secrets)) expect(readme).toContain(normalize(join('deploy', file)));
    for (const { secrets: used = [] } of Object.values(services))
      for (const name of used) expect(Object.keys(secrets)).toContain(name);
  });

  test('gives each setting that is a path something mounted there', () => {
    const { environment = {}, secrets: used = [] } = services['flowgate'] ?? {};
    const mounted = [...used.map((name) => `/run/secrets/${name}`), ...bound.map(([, target]) => target)];
    const paths = Object.entries(environment).filter(([name]) => /_FILE$|_DIR$/.test(name));
    for (const [name, path] of paths) expect(mounted, name).toContain(path);
    expect(paths.length).toBe(3);
  });

  test('builds a target there is, and serves the example', () => {
    const { build, command } = services['flowgate'] ?? {};
    expect(existsSync(join('deploy', build?.context ?? '', build?.dockerfile ?? ''))).toBe(true);
    expect(dockerfile).toMatch(new RegExp(`^FROM \\S+ AS ${build?.target}$`, 'm'));
    expect(existsSync(command?.[1] ?? '')).toBe(true);
  });

  test('publishes the public port, and not the admin port', () => {
    expect(services['flowgate']?.ports).toEqual(['127.0.0.1:3000:3000']);
    for (const { ports = [] } of Object.values(services)) {
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
    }
  });

  test('leaves Flowgate the time to end', () => {
    expect(Number.parseInt(services['flowgate']?.stop_grace_period ?? '', 10)).toBeGreaterThan(DRAIN_SECONDS);
  });

  test('keeps Redis from losing or evicting what was acknowledged', () => {
    const command = services['redis']?.command?.join(' ');
    for (const setting of ['--maxmemory-policy noeviction', '--appendonly yes', '--appendfsync always'])
      expect(command).toContain(setting);
    expect(services['flowgate']?.environment?.['REDIS_URL']).toBe('redis://redis:6379/0');
  });

  test('scrapes the admin port, under the job and the rules of grafana/prometheus.yml', () => {
    const own = parse(read('deploy/prometheus.yml')) as {
      scrape_configs: [{ static_configs: [{ targets: string[] }] }];
    };
    const shipped = parse(read('grafana/prometheus.yml')) as typeof own;
    const { ADMIN_PORT } = services['flowgate']?.environment ?? {};
    expect(own.scrape_configs[0].static_configs[0].targets).toEqual([`flowgate:${ADMIN_PORT}`]);
    own.scrape_configs[0].static_configs[0].targets = shipped.scrape_configs[0].static_configs[0].targets;
    expect(own).toEqual(shipped);
    expect(readdirSync('grafana/rules').filter((name) => name.endsWith('.rules.yml'))).not.toEqual([]);
  });

  test('provisions Grafana as grafana/provisioning does, with Prometheus where it is here', () => {
    const own = parse(read('deploy/grafana-datasource.yml')) as { datasources: [{ url: string }] };
    const shipped = parse(read('grafana/provisioning/datasources/prometheus.yml')) as typeof own;
    expect(own.datasources[0].url).toBe('http://prometheus:9090');
    own.datasources[0].url = shipped.datasources[0].url;
    expect(own).toEqual(shipped);
    const provider = read('grafana/provisioning/dashboards/flowgate.yml');
    const { environment = {}, volumes: mounts = [] } = services['grafana'] ?? {};
    const [, variable = ''] = /path: \$\{(\w+)\}/.exec(provider) ?? [];
    expect(mounts).toContain(`../grafana/dashboards:${environment[variable]}:ro`);
  });
});

describe.each(deployments)('$name', ({ name, spec, pod, container, env }) => {
  const role = container.args.at(-1);
  const component = name.replace('flowgate-', '');

  test('has selectors that find it, and a budget and a policy that hold for it', () => {
    const { labels } = spec.template.metadata;
    const isChosen = (selector: Labels) => Object.entries(selector).every(([key, value]) => labels[key] === value);
    expect(isChosen(spec.selector.matchLabels)).toBe(true);
    expect(labels['app.kubernetes.io/component']).toBe(component);
    const budget = ofKind('PodDisruptionBudget').find(({ metadata }) => metadata.name === name);
    expect(isChosen(budget?.spec.selector.matchLabels ?? { none: '' })).toBe(true);
    for (const { labelSelector } of pod.topologySpreadConstraints)
      expect(isChosen(labelSelector.matchLabels)).toBe(true);
    expect(isChosen(ofKind('NetworkPolicy')[0]?.spec.podSelector.matchLabels ?? { none: '' })).toBe(true);
    expect(isChosen(ofKind('Service')[0]?.spec.selector ?? {})).toBe(component === 'web');
  });

  test('serves the example in its role', () => {
    expect(container.args).toEqual(['serve', 'examples/booking/app.ts', '--role', component]);
  });

  test('is probed where it listens, by paths that are answered', async () => {
    const numbers = Object.fromEntries(container.ports.map(({ name: port, containerPort }) => [port, containerPort]));
    expect(numbers['admin']).toBe(Number(env['ADMIN_PORT']));
    if (role === 'web') expect(numbers['http']).toBe(Number(env['PORT']));
    await using service = await startTestService(createApp());
    const urls: Record<string, string> = { http: service.url, admin: service.adminUrl };
    const { startupProbe, livenessProbe, readinessProbe } = container;
    expect([livenessProbe.httpGet.path, readinessProbe.httpGet.path]).toEqual(['/healthz', '/readyz']);
    for (const { httpGet } of [startupProbe, livenessProbe, readinessProbe]) {
      expect(numbers).toHaveProperty(httpGet.port);
      expect((await fetch(urls[httpGet.port] + httpGet.path)).status).toBe(200);
    }
    const { annotations } = spec.template.metadata;
    expect(annotations).toMatchObject({ 'prometheus.io/port': env['ADMIN_PORT'], 'prometheus.io/path': '/metrics' });
  });

  test('finds the file of each secret where it is mounted, and mounts what it has', () => {
    const mounts = new Map(container.volumeMounts.map(({ name: volume, mountPath }) => [mountPath, volume]));
    const volumes = new Map(pod.volumes.map((volume) => [volume.name, volume]));
    for (const volume of mounts.values()) expect([...volumes.keys()]).toContain(volume);
    for (const [setting, path] of Object.entries(env)) {
      if (!setting.endsWith('_FILE')) continue;
      const { secret } = volumes.get(mounts.get(dirname(path)) ?? '') ?? {};
      const key = path.split('/').at(-1) ?? '';
      expect(secret?.items?.map((item) => item.key) ?? [key], setting).toContain(key);
      expect(readme).toContain(`--from-file=${key}`);
      expect(readme).toContain(`create secret generic ${secret?.secretName} `);
    }
    if (role === 'web') expect(mounts.has(env['KEYS_DIR'] ?? '')).toBe(true);
    else expect(env).not.toHaveProperty('KEYS_DIR');
  });

  test('is given the time to end', () => {
    const [, pause = '0'] = container.lifecycle?.preStop.exec.command ?? [];
    if (role === 'web') expect(Number(pause)).toBeGreaterThan(0);
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(Number(pause) + DRAIN_SECONDS);
  });

  test('runs as nobody in particular, on a file system it cannot write, within bounds', () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000 });
    expect(container.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(container.resources).toMatchObject({ requests: { memory: '256Mi' }, limits: { memory: '512Mi' } });
  });
});

test('the Service and the policy let the public port through, and the admin port only to Prometheus', () => {
  expect(ofKind('Service')[0]?.spec.ports).toEqual([{ name: 'http', port: 80, targetPort: 'http' }]);
  expect(ofKind('NetworkPolicy')[0]?.spec.ingress).toEqual([
    { ports: [{ port: 3000 }] },
    { from: [{ namespaceSelector: expect.anything() }], ports: [{ port: 9464 }] },
  ]);
});
