/** Where files may be downloaded from: hosts of Meta's, unless an app says otherwise. */
import { refusedHost } from './media-error.ts';

/** Picked files come from WhatsApp's CDN, those of webhooks from Facebook's. */
export const DEFAULT_MEDIA_HOSTS: readonly string[] = [
  '*.whatsapp.net',
  '*.fbcdn.net',
  '*.fbsbx.com',
  '*.facebook.com',
];

/** The last label is no number, so an address is no host. */
const HOST = /^(\*\.)?(?:[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?\.)+[a-z][a-z\d-]{0,61}[a-z\d]$/;

interface HostRule {
  /** True for an origin: whoever writes one down knows the machine. */
  readonly allowsPrivate: boolean;
  readonly matches: (url: URL) => boolean;
}

/** What the list says of a URL that may be called. */
export interface AllowedUrl {
  readonly url: URL;
  /** The addresses of its host need not be public. */
  readonly allowsPrivate: boolean;
}

export class HostList {
  readonly #rules: readonly HostRule[];

  /**
   * @param entries `media.example.com` is that host, `*.example.com` every host below: by https on port 443, at public
   *   addresses. An origin, `http://127.0.0.1:9000`, is called wherever it is: for tests and networks of one's own.
   * @throws TypeError for any other entry.
   */
  constructor(entries: readonly string[]) {
    this.#rules = entries.map((entry) => (entry.includes('://') ? originRule(entry) : hostRule(entry)));
  }

  /**
   * @param base of a redirect's target.
   * @throws `MEDIA_UNAVAILABLE` for a URL that is not to be called.
   */
  check(target: string, base?: URL): AllowedUrl {
    if (!URL.canParse(target, base?.href)) throw refusedHost('its link is no URL');
    const url = new URL(target, base);
    if (url.username || url.password) throw refusedHost('its link holds a user or a password');
    const rule = this.#rules.find(({ matches }) => matches(url));
    if (!rule) throw refusedHost('its host is not one of those allowed (option hosts)');
    return { url, allowsPrivate: rule.allowsPrivate };
  }
}

function hostRule(entry: string): HostRule {
  const host = entry.toLowerCase();
  if (!HOST.test(host) || (host.startsWith('*.') && host.split('.').length < 3)) throw unusable(entry);
  const isMatch = host.startsWith('*.')
    ? (hostname: string) => hostname.endsWith(host.slice(1)) && hostname.length >= host.length
    : (hostname: string) => hostname === host;
  const matches = (url: URL) => url.protocol === 'https:' && url.port === '' && isMatch(url.hostname);
  return { allowsPrivate: false, matches };
}

function originRule(entry: string): HostRule {
  const origin = URL.canParse(entry) ? new URL(entry) : undefined;
  if (!origin || !/^https?:$/.test(origin.protocol) || origin.href !== `${origin.origin}/`) throw unusable(entry);
  return { allowsPrivate: true, matches: (url) => url.origin === origin.origin };
}

function unusable(entry: string): TypeError {
  return new TypeError(
    `${JSON.stringify(entry)} is no host for media: give media.example.com, *.example.com, or an origin with its scheme`,
  );
}
