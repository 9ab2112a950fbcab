/** Payloads as they stand in the JSON of an answer. */
import type { Answer } from './exchange.ts';

/** A payload in protobuf's JSON: bytes as base64. */
export interface AnsweredPayload {
  readonly metadata?: Readonly<Record<string, string>>;
  readonly data?: string;
  readonly externalPayloads?: readonly { readonly sizeBytes?: string }[];
}

/** The payloads of an answer; undefined when it is not a list of payloads. */
export function payloadsOf(answer: Answer): AnsweredPayload[] | undefined {
  try {
    const { payloads } = JSON.parse(answer.body) as { payloads?: unknown };
    return Array.isArray(payloads) ? (payloads as AnsweredPayload[]) : undefined;
  } catch {
    return undefined;
  }
}
