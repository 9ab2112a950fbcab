/** Everyone who is measured. */
import { type Seal, sealAsSamples } from './formats.ts';
import type { Command } from './process.ts';
import { installGo, installJava, installNode, installPython } from './rivals.ts';

export interface Contestant {
  readonly name: string;
  readonly title: string;
  readonly kind: 'floor' | 'rival' | 'ours';
  /** Installs it if need be, and says how to start it. Undefined: it runs inside the bench, without HTTP. */
  readonly command: (() => Command | Promise<Command>) | undefined;
  readonly seal: Seal;
  /** Header lines that go with its requests in turn, besides the workload's own. */
  readonly headers?: readonly (readonly string[])[];
  /** Whether it only sends back what it gets. */
  readonly echoes?: boolean;
}

/** The rival that every ratio is against. */
export const REFERENCE = 'go';

const HTTP_FLOOR = new URL('./floors/http.ts', import.meta.url).pathname;

export const CONTESTANTS: readonly Contestant[] = [
  {
    name: 'in-process',
    title: 'Node, no HTTP: JSON, base64, AES-256-GCM, Payload',
    kind: 'floor',
    command: undefined,
    seal: sealAsSamples,
  },
  {
    name: 'echo',
    title: 'bare node:http, echoing',
    kind: 'floor',
    command: () => ({ file: process.execPath, args: [HTTP_FLOOR, 'echo'] }),
    seal: sealAsSamples,
    echoes: true,
  },
  {
    name: 'bare',
    title: 'bare node:http with that decoding inside',
    kind: 'floor',
    command: () => ({ file: process.execPath, args: [HTTP_FLOOR, 'decode'] }),
    seal: sealAsSamples,
  },
  {
    name: 'go',
    title: "Go SDK's NewPayloadCodecHTTPHandler",
    kind: 'rival',
    command: installGo,
    seal: sealAsSamples,
  },
  {
    name: 'java',
    title: 'Java temporal-remote-data-encoder',
    kind: 'rival',
    command: installJava,
    seal: sealAsSamples,
  },
  {
    name: 'python',
    title: 'aiohttp with the Python SDK',
    kind: 'rival',
    command: installPython,
    seal: sealAsSamples,
  },
  {
    name: 'express',
    title: 'express with the TypeScript SDK',
    kind: 'rival',
    command: installNode,
    seal: sealAsSamples,
  },
];
