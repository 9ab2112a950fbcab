/** A Temporal server and Web UIs for one group of checks. */
import { freePort, type Running, start } from './processes.ts';
import { temporalForTests } from './tools.ts';

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

/** A running Temporal server. */
export interface Temporal {
  /** `host:port` of its gRPC. */
  readonly address: string;
  /** Starts a Web UI in front of it. @returns its origin, such as `http://localhost:12345` */
  webUI(settings: WebUISettings, env?: Readonly<Record<string, string>>, port?: number): Promise<string>;
  /** Ends the server and its Web UIs. */
  stop(): Promise<void>;
}

/** Starts a Temporal server with these namespaces, everything in memory. */
export async function startTemporal(namespaces: readonly string[], port?: number): Promise<Temporal> {
  const program = await temporalForTests();
  const frontend = port ?? (await freePort());
  const server = await start(program, [], {
    input: JSON.stringify({ temporal: { port: frontend, namespaces } }),
    keepInput: true,
    ready: 'ready\n',
    patience: 120_000,
  });
  const address = `127.0.0.1:${frontend}`;
  const parts: Running[] = [server];
  return {
    address,
    async webUI(settings, env = {}, wanted) {
      const uiPort = wanted ?? (await freePort());
      const document = {
        temporalGrpcAddress: address,
        host: '127.0.0.1',
        port: uiPort,
        cors: { cookieInsecure: settings.uiServerTLS === undefined },
        ...settings,
      };
      parts.unshift(
        await start(program, [], {
          env,
          input: JSON.stringify({ webUis: [document] }),
          keepInput: true,
          ready: 'ready\n',
          patience: 60_000,
        }),
      );
      return `${settings.uiServerTLS === undefined ? 'http' : 'https'}://localhost:${uiPort}`;
    },
    async stop() {
      for (const part of parts) await part.stop();
    },
  };
}
