/** Everyone who is measured. */
import { type Seal, sealAsSamples } from './formats.ts';
import { enterGuarded, enterInProcess, enterLocal, enterOwnFormat, enterOwnFormatWithKms } from './ours/servers.ts';
import type { Command } from './process.ts';
import { installGo, installJava, installNode, installPython } from './rivals.ts';

export interface Contestant {
  readonly name: string;
  readonly title: string;
  readonly kind: 'floor' | 'rival' | 'ours';
  /** Installs or prepares what it needs. @throws Error when that is not possible here */
  readonly enter: () => Promise<Entered>;
}

/** A contestant that can be started. */
export interface Entered {
  /** Undefined: it runs without HTTP. */
  readonly command: Command | undefined;
  /** Without HTTP: our pipeline with this keyring file; undefined for the floor. */
  readonly keyring?: string;
  readonly seal: Seal;
  /** Header lines that go with its requests in turn, besides the workload's own. */
  readonly headers?: readonly (readonly string[])[];
  /** Whether it only sends back what it gets. */
  readonly echoes?: boolean;
  /** Ends what it needed. */
  readonly close?: () => Promise<void>;
}

/** The rival that every ratio is against. */
export const REFERENCE = 'go';

const HTTP_FLOOR = new URL('./floors/http.ts', import.meta.url).pathname;

function rival(name: string, title: string, install: () => Promise<Command>): Contestant {
  return { name, title, kind: 'rival', enter: async () => ({ command: await install(), seal: sealAsSamples }) };
}

export const CONTESTANTS: readonly Contestant[] = [
  {
    name: 'in-process',
    title: 'Node, no HTTP: JSON, base64, AES-256-GCM, Payload',
    kind: 'floor',
    enter: async () => ({ command: undefined, seal: sealAsSamples }),
  },
  {
    name: 'in-process-ours',
    title: "our pipeline, no HTTP, the samples' format",
    kind: 'ours',
    enter: () => enterInProcess('samples'),
  },
  {
    name: 'in-process-own',
    title: 'our pipeline, no HTTP, our format',
    kind: 'ours',
    enter: () => enterInProcess('own'),
  },
  {
    name: 'echo',
    title: 'bare node:http, echoing',
    kind: 'floor',
    enter: async () => ({
      command: { file: process.execPath, args: [HTTP_FLOOR, 'echo'] },
      seal: sealAsSamples,
      echoes: true,
    }),
  },
  {
    name: 'bare',
    title: 'bare node:http with that decoding inside',
    kind: 'floor',
    enter: async () => ({ command: { file: process.execPath, args: [HTTP_FLOOR, 'decode'] }, seal: sealAsSamples }),
  },
  rival('go', "Go SDK's NewPayloadCodecHTTPHandler", installGo),
  rival('java', 'Java temporal-remote-data-encoder', installJava),
  rival('python', 'aiohttp with the Python SDK', installPython),
  rival('express', 'express with the TypeScript SDK', installNode),
  { name: 'ours', title: "ours, the samples' format", kind: 'ours', enter: enterLocal },
  {
    name: 'guarded',
    title: "ours, the samples' format, with tokens, policy, audit log and metrics",
    kind: 'ours',
    enter: enterGuarded,
  },
  { name: 'own', title: 'ours, our format, local keyring', kind: 'ours', enter: enterOwnFormat },
  { name: 'own-kms', title: 'ours, our format, four KMS data keys', kind: 'ours', enter: enterOwnFormatWithKms },
];
