/** HTTP by hand: a client that sends exactly the bytes it is told to and sees exactly what comes back. */
import { EventEmitter, once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type ConnectionOptions, type TLSSocket, connect as upgrade } from 'node:tls';

/** A wait that takes this long has failed: no test passes or fails by how fast the machine is. */
const GIVE_UP_MS = 10_000;
const HEAD_END = '\r\n\r\n';

export interface RawResponse {
  readonly status: number;
  /** Status line and headers as sent, without `Date`: what a client could tell two answers apart by. */
  readonly head: string;
  /** A header that was sent twice reads `a, a`. */
  readonly headers: Headers;
  readonly body: string;
}

/** Leaves without a word when its scope ends. */
export class RawClient implements Disposable {
  readonly #socket: Socket;
  /** Under TLS, what carries it. */
  readonly #tcpSocket: Socket;
  readonly #changes = new EventEmitter();
  #received = '';
  /** Until this much is there nothing is looked at again: a long body would be searched for its head a thousand times. */
  #wantedLength = 0;
  #closed = false;

  /**
   * Rejects when the port refuses the connection, or the certificate is not the right one.
   *
   * @param tls speaks TLS with these options.
   */
  static async connect(port: number, tls?: ConnectionOptions): Promise<RawClient> {
    const tcpSocket = connect({ port, host: '127.0.0.1', noDelay: true });
    await within(once(tcpSocket, 'connect'), 'the connection');
    if (!tls) return new RawClient(tcpSocket, tcpSocket);
    const socket = upgrade({ servername: 'localhost', ...tls, socket: tcpSocket });
    await within(once(socket, 'secureConnect'), 'the TLS handshake');
    return new RawClient(socket, tcpSocket);
  }

  private constructor(socket: Socket, tcpSocket: Socket) {
    this.#socket = socket;
    this.#tcpSocket = tcpSocket;
    socket.setEncoding('latin1');
    socket.on('data', (text) => {
      this.#received += text;
      if (this.#received.length >= this.#wantedLength) this.#changes.emit('change');
    });
    socket.on('error', () => {}); // a reset closes like anything else
    for (const event of ['end', 'close']) {
      socket.on(event, () => {
        this.#closed = true;
        this.#changes.emit('change');
      });
    }
  }

  /** The common name of the server's certificate. */
  get serverName(): string {
    return String((this.#socket as TLSSocket).getPeerCertificate().subject.CN);
  }

  send(bytes: string): void {
    this.#socket.write(bytes);
  }

  /** Sends each byte on its own, once the one before has left this process. */
  async sendBytewise(bytes: string): Promise<void> {
    for (const byte of Buffer.from(bytes)) {
      await new Promise((resolve) => this.#socket.write(Buffer.of(byte), resolve));
    }
  }

  /** Takes the next response off what has arrived. A response to HEAD has no body, whatever its length says. */
  response({ toHead = false } = {}): Promise<RawResponse> {
    return this.#when('a response', () => {
      const headEnd = this.#received.indexOf(HEAD_END);
      if (headEnd === -1) return undefined;
      const response = parseHead(this.#received.slice(0, headEnd));
      const bodyStart = headEnd + HEAD_END.length;
      const bodyEnd = bodyStart + (toHead ? 0 : Number(response.headers.get('content-length') ?? 0));
      this.#wantedLength = bodyEnd;
      if (this.#received.length < bodyEnd) return undefined;
      this.#wantedLength = 0;
      const body = this.#received.slice(bodyStart, bodyEnd);
      this.#received = this.#received.slice(bodyEnd);
      return { ...response, body };
    });
  }

  /** Waits for the server to close the connection. @returns what came and was not taken. */
  closed(): Promise<string> {
    return this.#when('the end of the connection', () => (this.#closed ? this.#received : undefined));
  }

  /** Says goodbye and stays to read. */
  end(): void {
    this.#socket.end();
  }

  /** Vanishes, as a phone without network does once its proxy notices. */
  reset(): void {
    this.#tcpSocket.resetAndDestroy();
  }

  [Symbol.dispose](): void {
    this.#socket.destroy();
  }

  async #when<T>(what: string, read: () => T | undefined): Promise<T> {
    for (;;) {
      const value = read();
      if (value !== undefined) return value;
      if (this.#closed)
        throw new Error(`the server closed before ${what}, after ${JSON.stringify(this.#received.slice(0, 500))}`);
      await within(once(this.#changes, 'change'), what);
    }
  }
}

/** The text of a request; a body brings its length, unless the headers say how it is framed. */
export function requestText(
  target: `${string} ${string}`,
  { headers = [], body = '' }: { headers?: readonly string[]; body?: string } = {},
): string {
  const isFramed = body === '' || headers.some((header) => /^(content-length|transfer-encoding):/i.test(header));
  const framing = isFramed ? [] : [`Content-Length: ${Buffer.byteLength(body)}`];
  return [`${target} HTTP/1.1`, 'Host: localhost', ...headers, ...framing, '', body].join('\r\n');
}

/** A body in chunked transfer encoding, one chunk a text. */
export function chunked(...chunks: readonly string[]): string {
  return `${chunks.map(chunk).join('')}0\r\n\r\n`;
}

export function chunk(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

/** Counts what happens, for a test that waits until it has happened often enough. */
export class Tally {
  readonly #changes = new EventEmitter().setMaxListeners(0); // any number may wait for the same event
  count = 0;

  readonly add = (): void => {
    this.count += 1;
    this.#changes.emit('change');
  };

  async reached(count: number): Promise<void> {
    while (this.count < count) await within(once(this.#changes, 'change'), `number ${this.count + 1} of ${count}`);
  }
}

/** `promise`, or a rejection that says what never came. */
export async function within<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const gaveUp = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come`)), GIVE_UP_MS);
  });
  return Promise.race([promise, gaveUp]).finally(() => clearTimeout(timer));
}

function parseHead(head: string): Omit<RawResponse, 'body'> {
  const [statusLine = '', ...lines] = head.split('\r\n');
  const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(statusLine)?.[1]);
  if (!status) throw new Error(`this is no response: ${JSON.stringify(head)}`);
  const headers = new Headers(lines.map((line): [string, string] => splitHeader(line)));
  return { status, head: [statusLine, ...lines.filter((line) => !/^date:/i.test(line))].join('\n'), headers };
}

function splitHeader(line: string): [name: string, value: string] {
  const colon = line.indexOf(':');
  return [line.slice(0, colon), line.slice(colon + 1).trim()];
}
