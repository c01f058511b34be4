/** The page's side of `api.ts`: every call, and what becomes of one that fails. */
import { isObject } from '../../../json.ts';
import type {
  AppReport,
  ExchangeReport,
  InboxView,
  MediaReport,
  PublicKeyReport,
  TokenReport,
  TokenRequest,
  TokenSignatureReport,
  WebhookReport,
  WebhookRequest,
} from '../../api.ts';
import type { SentReport } from '../../sent.ts';
import type { Transport } from '../wire/client.ts';

const API = '/playground/api/';
const JSON_TYPE = { 'Content-Type': 'application/json' };

/** Each call rejects with one sentence for people. */
export class ApiClient implements Transport {
  app(): Promise<AppReport> {
    return get('app');
  }

  async publicKey(flow: string, isRetired: boolean): Promise<string> {
    const query = `flow=${encodeURIComponent(flow)}${isRetired ? '&retired' : ''}`;
    return (await get<PublicKeyReport>(`public-key?${query}`)).pem;
  }

  exchange(flow: string, body: string): Promise<ExchangeReport> {
    return post(`exchange/${encodeURIComponent(flow)}`, body);
  }

  async token(request: TokenRequest): Promise<string> {
    return (await post<TokenReport>('token', JSON.stringify(request))).token;
  }

  /** Undefined where the server does not sign tokens. */
  async tokenSignature(token: string): Promise<string | undefined> {
    const report = await post<TokenSignatureReport>('token-signature', JSON.stringify({ token })).catch(
      () => undefined,
    );
    return report?.signature;
  }

  webhook(request: WebhookRequest): Promise<WebhookReport> {
    return post('webhook', JSON.stringify(request));
  }

  sent(after: number): Promise<SentReport> {
    return get(`sent?after=${after}`);
  }

  inbox(): Promise<InboxView> {
    return get('inbox');
  }

  /** On the admin port's own routes. @returns how many items it changed. */
  async actOnItem(id: string, action: 'replay' | 'purge'): Promise<number> {
    const path = `/inbox/items/${encodeURIComponent(id)}/${action}`;
    return (await call<{ count: number }>(path, { method: 'POST', headers: JSON_TYPE, body: '{}' })).count;
  }

  media(file: File): Promise<MediaReport> {
    const headers = { 'Content-Type': 'application/octet-stream', 'X-Playground': '1' };
    return call(`${API}media?name=${encodeURIComponent(file.name)}`, { method: 'POST', headers, body: file });
  }
}

function get<T>(path: string): Promise<T> {
  return call(API + path, {});
}

/** The header keeps other pages out: they cannot send it without asking first. */
function post<T>(path: string, body: string): Promise<T> {
  return call(API + path, { method: 'POST', headers: { ...JSON_TYPE, 'X-Playground': '1' }, body });
}

async function call<T>(path: string, init: RequestInit): Promise<T> {
  const response = await fetch(path, { ...init, cache: 'no-store' }).catch(() => {
    throw new Error('The playground’s server does not answer.');
  });
  const answer: unknown = await response.json().catch(() => undefined);
  if (response.ok && isObject(answer)) return answer as T;
  const error = isObject(answer) && typeof answer['error'] === 'string' ? answer['error'] : undefined;
  throw new Error(error ?? `The playground’s server answered ${response.status}.`);
}
