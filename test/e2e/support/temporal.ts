/** A Temporal server and Web UIs for one group of checks. */
import { freePort } from '../../support/free-port.ts';
import { retried } from '../../support/retried.ts';
import { type Running, start } from './processes.ts';
import { temporalCli, webUIServer } from './tools.ts';

/** Settings of a Web UI, in the words of the Web UI server's own configuration. */
export interface WebUISettings {
  readonly codec?: {
    readonly endpoint?: string;
    readonly passAccessToken?: boolean;
    readonly includeCredentials?: boolean;
    readonly defaultErrorMessage?: string;
    readonly defaultErrorLink?: string;
  };
  readonly auth?: {
    readonly enabled: boolean;
    readonly providers: readonly Readonly<Record<string, unknown>>[];
  };
  readonly uiServerTLS?: { readonly certFile: string; readonly keyFile: string };
}

/** How the development server is started. */
export interface DevServerOptions {
  /** Where it takes gRPC. Default: a free port. */
  readonly port?: number;
  /** Its own Web UI, at `http://localhost:<port>`. Default: none. */
  readonly ui?: { readonly port: number; readonly codecEndpoint?: string };
  /** Settings of the server, such as `nexusoperation.enableStandalone=true`. */
  readonly settings?: readonly string[];
}

/** A running Temporal server. */
export interface Temporal {
  /** `host:port` of its gRPC. */
  readonly address: string;
  /** Starts a Web UI in front of it. @returns its origin, such as `http://localhost:12345` */
  webUI(settings: WebUISettings, env?: Readonly<Record<string, string>>, port?: number): Promise<string>;
  /** Ends the server and its Web UIs. */
  stop(): Promise<void>;
}

/** Starts the CLI's development server with these namespaces, everything in memory. */
export async function startTemporal(
  namespaces: readonly string[],
  { port, ui, settings = [] }: DevServerOptions = {},
): Promise<Temporal> {
  const names = namespaces.flatMap((name) => ['--namespace', name]);
  const dynamic = settings.flatMap((setting) => ['--dynamic-config-value', setting]);
  const endpoint = ui?.codecEndpoint === undefined ? [] : ['--ui-codec-endpoint', ui.codecEndpoint];
  const withUI = ui && ['--ui-port', `${ui.port}`, '--ui-disable-news-fetch', ...endpoint];
  let frontend = 0;
  // The ports of its parts it chooses by itself, and now and then one is taken by the time that it listens.
  const server = await retried(async () => {
    frontend = port ?? (await freePort());
    const where = ['--ip', '127.0.0.1', '--port', `${frontend}`, '--log-level', 'error'];
    return await start(
      await temporalCli(),
      ['server', 'start-dev', ...where, ...names, ...dynamic, ...(withUI ?? ['--headless'])],
      // The last line it prints when everything answers.
      { ready: 'Temporal Metrics:' },
    );
  });
  const address = `127.0.0.1:${frontend}`;
  const parts: Running[] = [server];
  return {
    address,
    async webUI(settings, env = {}, wanted) {
      const uiPort = wanted ?? (await freePort());
      const configuration = {
        temporalGrpcAddress: address,
        host: '127.0.0.1',
        port: uiPort,
        cors: { cookieInsecure: settings.uiServerTLS === undefined },
        ...settings,
      };
      parts.unshift(
        await start(await webUIServer(), [], {
          env,
          input: `${JSON.stringify(configuration)}\n`,
          keepInput: true,
          ready: 'ready\n',
        }),
      );
      return `${settings.uiServerTLS === undefined ? 'http' : 'https'}://localhost:${uiPort}`;
    },
    async stop() {
      for (const part of parts) await part.stop();
    },
  };
}
