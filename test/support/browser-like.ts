/** A browser as far as cookies and redirects go, for servers of this machine with the test's certificate. */
import { request } from 'node:https';

export interface BrowserAnswer {
  readonly url: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly setCookies: readonly string[];
  readonly body: string;
}

export class BrowserLike {
  /** By host (cookies know no ports), then by name. */
  readonly #cookies = new Map<string, Map<string, string>>();
  readonly #ca: string;
  readonly #ports: Readonly<Record<string, number>>;

  /** @param ports by name, for names that no DNS knows: where this machine serves them, with the certificate of `localhost` */
  constructor(ca: string, ports: Readonly<Record<string, number>> = {}) {
    this.#ca = ca;
    this.#ports = ports;
  }

  cookie(url: string, name: string): string | undefined {
    return this.#cookies.get(originOf(url))?.get(name);
  }

  setCookie(url: string, name: string, value: string): void {
    const cookies = this.#cookies.get(originOf(url)) ?? new Map<string, string>();
    this.#cookies.set(originOf(url), cookies.set(name, value));
  }

  cookieHeader(url: string): string {
    return [...(this.#cookies.get(originOf(url)) ?? [])].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  /** Opens an address and follows redirects, at most ten, until `until` says so. */
  async open(
    url: string,
    until: (answer: BrowserAnswer) => boolean = () => false,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<BrowserAnswer> {
    let answer = await this.get(url, headers);
    for (let hops = 0; hops < 10 && !until(answer); hops++) {
      const { location } = answer.headers;
      if (typeof location !== 'string') return answer;
      answer = await this.get(new URL(location, answer.url).href, headers);
    }
    return answer;
  }

  get(url: string, headers: Readonly<Record<string, string>> = {}): Promise<BrowserAnswer> {
    return this.#send(url, 'GET', headers, '');
  }

  post(url: string, body: string, headers: Readonly<Record<string, string>> = {}): Promise<BrowserAnswer> {
    return this.#send(url, 'POST', headers, body);
  }

  #send(url: string, method: string, headers: Readonly<Record<string, string>>, body: string): Promise<BrowserAnswer> {
    const cookie = this.cookieHeader(url);
    const all = { ...(cookie === '' ? {} : { cookie }), ...headers, 'content-length': Buffer.byteLength(body) };
    const { hostname, host } = new URL(url);
    const port = this.#ports[hostname];
    const where =
      port === undefined ? {} : { hostname: 'localhost', servername: 'localhost', port, headers: { ...all, host } };
    const options = { method, headers: all, ca: this.#ca, agent: false, family: 4, ...where } as const;
    return new Promise((resolve, reject) => {
      const outgoing = request(url, options, (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
        incoming.on('error', reject);
        incoming.on('end', () => {
          const setCookies = incoming.headers['set-cookie'] ?? [];
          for (const text of setCookies) this.#keep(url, text);
          const text = Buffer.concat(chunks).toString('utf8');
          resolve({ url, status: incoming.statusCode ?? 0, headers: incoming.headers, setCookies, body: text });
        });
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }

  #keep(url: string, text: string): void {
    const [pair = '', ...attributes] = text.split(';').map((part) => part.trim());
    const at = pair.indexOf('=');
    const name = pair.slice(0, at);
    const value = pair.slice(at + 1);
    const isOver = attributes.some((it) => /^(max-age=0|expires=thu, 01 jan 1970)/i.test(it));
    if (isOver) this.#cookies.get(originOf(url))?.delete(name);
    else this.setCookie(url, name, value);
  }
}

function originOf(url: string): string {
  return new URL(url).origin;
}
