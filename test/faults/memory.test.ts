/** Sessions and tokens of real processes: in the embedded store, in Redis, and while that is away. */
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { JsonObject } from '../../src/json.ts';
import { TEST_BUSINESS, TEST_USER, textMessage } from '../../src/testing/index.ts';
import { FakeGraph, GRAPH_TOKEN, PHONE_NUMBER_ID } from '../support/fake-graph.ts';
import { TestRedis } from '../support/redis.ts';
import { hasRedisServer } from '../support/redis-available.ts';
import { GIVE_UP, TEST_TIMEOUT_MS } from './support/give-up.ts';
import { Installation } from './support/installation.ts';
import type { Server } from './support/server.ts';

vi.setConfig({ testTimeout: TEST_TIMEOUT_MS });

/** A worker answers no phone, and holds nothing that it would take. */
const WITHOUT_SECRETS = { APP_SECRET: '', VERIFY_TOKEN: '', PRIVATE_KEY: '' };

/** A Graph API, and the settings by which a server finds it. */
async function startGraph() {
  const graph = await FakeGraph.start();
  onTestFinished(() => graph[Symbol.asyncDispose]());
  return { graph, env: { GRAPH_TOKEN, PHONE_NUMBER_ID, GRAPH_BASE_URL: graph.url } };
}

/** Writes to the server. @returns the flow token of the message that it answers with. */
async function askForToken({ phone }: Server, graph: FakeGraph): Promise<string> {
  const { length } = graph.messages;
  await phone.deliver([textMessage('hello', { business: { ...TEST_BUSINESS, phoneNumberId: PHONE_NUMBER_ID } })]);
  return vi.waitFor(() => {
    const interactive = graph.messages[length]?.body['interactive'] as JsonObject;
    const { parameters } = interactive['action'] as { parameters: JsonObject };
    return parameters['flow_token'] as string;
  }, GIVE_UP);
}

async function notesOf({ phone }: Server, token: string): Promise<unknown> {
  return (await phone.open('notes', { token })).data['notes'];
}

describe('the embedded store', () => {
  test('has every session whose write was answered, and every token that was sent, after kill -9', async () => {
    await using site = new Installation();
    const { graph, env } = await startGraph();
    const answered = new Map<string, string[]>();
    let server = await site.serve('remembering', env);
    for (let round = 0; round < 2; round++) {
      await writeUntilKilled(server, round, answered);
      server = await site.serve('remembering', env);
      for (const [token, notes] of answered) {
        const kept = (await notesOf(server, token)) as string[];
        expect(kept.slice(0, notes.length)).toEqual(notes);
      }
    }
    const token = await askForToken(server, graph);
    await server.kill();
    server = await site.serve('remembering', env);
    expect((await server.phone.open('survey', { token })).data).toEqual({ user: TEST_USER.userId });
  });

  test('belongs to one process: a second one is told so in a sentence, and the first goes on', async () => {
    await using site = new Installation();
    const first = await site.serve('remembering');
    const { code, stderr } = await site.spawn('remembering').ended;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(
        /^flowgate: \S+ belongs to another process: stop it, or give this one a DATA_DIR .+\n$/,
      ),
    });
    expect(await notesOf(first, 'token')).toEqual([]);
  });
});

/** People who note something again and again; after some answers the server is killed. */
async function writeUntilKilled(server: Server, round: number, answered: Map<string, string[]>): Promise<void> {
  let count = 0;
  const write = async (person: number) => {
    const token = `token ${round}.${person}`;
    const { phone } = server;
    await phone.open('notes', { token });
    const notes: string[] = [];
    answered.set(token, notes);
    for (let i = 0; ; i++) {
      await phone.submit({ note: `${i}` });
      notes.push(`${i}`);
      count += 1;
      if (count === 40) void server.kill();
    }
  };
  const people = Array.from({ length: 8 }, (_, person) => write(person));
  await Promise.allSettled(people);
  expect((await server.ended).code).toBeNull();
  expect(count).toBeGreaterThanOrEqual(40);
}

describe.runIf(hasRedisServer)('Redis', () => {
  test('shows a worker the session that the web wrote, and the web a token that the worker minted', async () => {
    await using redis = await TestRedis.start();
    await using site = new Installation();
    const { graph, env } = await startGraph();
    const shared = { ...env, REDIS_URL: redis.url };
    const [web] = await Promise.all([
      site.serve('remembering', { ...shared, ROLE: 'web' }),
      site.serve('remembering', { ...shared, ...WITHOUT_SECRETS, ROLE: 'worker' }),
    ]);
    const { phone } = web;
    await phone.open('notes', { token: 'notes:1' });
    for (const note of ['one', 'two']) await phone.submit({ note });
    phone.navigate('DONE');
    await phone.submit();
    await phone.sendCompletion();
    await expect.poll(() => site.journal('handled'), GIVE_UP).toEqual(['one,two']);

    const token = await askForToken(web, graph);
    expect((await phone.open('survey', { token })).data).toEqual({ user: TEST_USER.userId });
    await expect(phone.open('survey', { token: `survey:${'x'.repeat(32)}` })).rejects.toThrow('427');
  });

  test('that hangs, stops or comes back empty: fallbacks answer, other Flows do as ever, nobody restarts', async () => {
    await using redis = await TestRedis.start('--appendonly', 'yes', '--appendfsync', 'always');
    await using site = new Installation();
    const { graph, env } = await startGraph();
    // Late enough that a fallback which says `failed` was not called for the deadline.
    const server = await site.serve('remembering', { ...env, REDIS_URL: redis.url, FLOW_DEADLINE_MS: '9000' });
    const { phone } = server;
    const survey = await askForToken(server, graph);
    const open = (flow: string, token: string) =>
      phone.open(flow, { token }).then(({ screen, data }) => [screen, data]);
    const session = () => open('notes', 'token');
    const kept = ['NOTES', { notes: ['one'] }];
    const sorry = ['SORRY', { failure: 'failed', session: 'STATE_UNAVAILABLE' }];
    await session();
    await phone.submit({ note: 'one' });
    const expectSorry = async () => {
      expect(await session()).toEqual(sorry);
      expect(await open('survey', survey)).toEqual(sorry);
      expect(await open('plain', 'token')).toEqual(['A', {}]);
    };

    redis.pause();
    await expectSorry(); // answered while it hangs still
    redis.resume();
    await expect.poll(session, GIVE_UP).toEqual(kept);
    expect(await open('survey', survey)).toEqual(['QUESTION', { user: TEST_USER.userId }]);

    await redis.stop();
    await expectSorry();
    await redis.start();
    await expect.poll(session, GIVE_UP).toEqual(kept);

    await redis.kill();
    redis.loseDisk();
    await redis.start();
    await expect.poll(session, GIVE_UP).toEqual(['NOTES', { notes: [] }]);
    await expect(open('survey', survey)).rejects.toThrow('427');
    await phone.open('notes', { token: 'token' });
    expect((await phone.submit({ note: 'two' })).data).toEqual({ notes: ['two'] });
    const { stdout } = await server.kill();
    expect(stdout).toMatch(/"code":"STATE_UNAVAILABLE","flow":"notes"/);
    expect(stdout).not.toMatch(/HANDLER_LATE|EXCHANGE_TIMEOUT/);
  });
});
