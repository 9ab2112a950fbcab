/**
 * The audit log: one JSON line per request, marked `"type":"audit"`. The fields and their order are
 * described in docs/audit.md, and queries depend on them.
 */
import { printableJson } from '../../../config/printable.ts';
import type { Caller } from '../auth/caller.ts';
import { NEEDS_NO_ESCAPES } from '../http/payload-json-writer.ts';
import type { AuditEntry, AuditSink } from './audit.ts';
import { loggable, type WriteLine } from './logger.ts';

/** Namespaces and keys listed in one line; a request that touches more says how many it left out. */
const MAX_LISTED = 50;

/** An audit log that writes with `write`. */
export function createAuditLog(write: WriteLine): AuditSink {
  return { record: (entry) => write(auditLine(entry)) };
}

/** Records with each of several sinks. */
export function allSinks(...sinks: readonly AuditSink[]): AuditSink {
  return {
    record(entry) {
      for (const sink of sinks) sink.record(entry);
    },
  };
}

/**
 * The line of a request. Put together from pieces: what a caller is stands in thousands of lines and
 * is written once, and the rest is short.
 */
function auditLine(entry: AuditEntry): string {
  const { caller, namespaces } = entry;
  const allowed: string[] = [];
  const denied: string[] = [];
  for (const [namespace, decision] of namespaces) (decision === 'allowed' ? allowed : denied).push(namespace);
  let line = `{"type":"audit","time":"${timestamp(Date.now())}"`;
  line += `${text('requestId', entry.requestId)},"operation":"${entry.operation}"`;
  line += `,"status":${entry.status},"durationMs":${Math.round(entry.durationMs * 1000) / 1000}`;
  if (caller !== undefined) line += `,"caller":${callerJson(caller)}`;
  line += text('unauthenticated', entry.unauthenticated) + text('origin', entry.origin);
  line += text('sourceAddress', entry.sourceAddress) + text('namedNamespace', entry.namedNamespace);
  line += `,"namespaces":{"allowed":${listJson(allowed)},"denied":${listJson(denied)}}`;
  line += `,"opened":${openedJson(entry.opened)}`;
  line += `,"payloads":${countsJson(entry.payloads)},"keyIds":${listJson(entry.keyIds)}`;
  line += `,"cacheHits":${entry.cacheHits},"cacheMisses":${entry.cacheMisses}`;
  if (entry.bulk) line += ',"bulk":true';
  return `${line}${text('fault', entry.fault)}}`;
}

/** By caller, which a verifier gives out as one object for as long as it remembers a token. */
const callers = new WeakMap<Caller, string>();

function callerJson(caller: Caller): string {
  let json = callers.get(caller);
  if (json === undefined) {
    const { method, subject, email, issuer } = caller;
    const rest = [text('subject', subject), text('email', email), text('issuer', issuer)];
    json = `{"method":${JSON.stringify(method)}${rest.join('')}}`;
    callers.set(caller, json);
  }
  return json;
}

/** A field with the comma before it; nothing where there is no value. */
function text(name: string, value: string | undefined): string {
  return value === undefined ? '' : `,"${name}":${textJson(loggable(value))}`;
}

/** @param counts by outcome, whose names are ours */
function countsJson(counts: Readonly<Record<string, number>>): string {
  let json = '';
  for (const outcome in counts) json += `${json === '' ? '' : ','}"${outcome}":${counts[outcome]}`;
  return `{${json}}`;
}

function listJson(names: readonly string[]): string {
  const [only] = names;
  if (only === undefined) return '[]';
  if (names.length === 1) return `[${textJson(loggable(only))}]`;
  const list = names.slice(0, MAX_LISTED).map(loggable);
  if (names.length > MAX_LISTED) list.push(`… and ${names.length - MAX_LISTED} more`);
  return `[${list.map(textJson).join(',')}]`;
}

/** In full: what was read is never left out, nor cut. The pipeline bounds how many there are, and how long. */
function openedJson(names: ReadonlySet<string>): string {
  return `[${[...names].map(textJson).join(',')}]`;
}

function textJson(value: string): string {
  return NEEDS_NO_ESCAPES.test(value) ? `"${value}"` : printableJson(value, 0);
}

let lastMs = 0;
let lastTimestamp = '';

/** ISO 8601 in UTC. Several requests end in the same millisecond. */
function timestamp(ms: number): string {
  if (ms !== lastMs) {
    lastMs = ms;
    lastTimestamp = new Date(ms).toISOString();
  }
  return lastTimestamp;
}
