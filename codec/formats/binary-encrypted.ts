/**
 * `binary/encrypted`, an encoding that at least seven producers use for seven different formats. Each
 * format has a mark in the metadata by which it alone is read, and they are asked in this order, the
 * last one taking what has no mark: a payload of one never takes another's path.
 */
import type { PayloadFormat } from '../format.ts';
import { kmsPythonSampleFormat } from './kms-python-sample.ts';
import { javaSampleFormat, sampleFormat } from './samples.ts';
import { stdgoFormat } from './stdgo.ts';
import { temporalCloudProxyFormat } from './temporal-cloud-proxy.ts';
import { temporalProxyFormat } from './temporal-proxy.ts';
import { tinkFormat } from './tink.ts';

export const BINARY_ENCRYPTED = 'binary/encrypted';

export const BINARY_ENCRYPTED_FORMATS: readonly PayloadFormat[] = [
  temporalProxyFormat,
  temporalCloudProxyFormat,
  kmsPythonSampleFormat,
  stdgoFormat,
  tinkFormat,
  javaSampleFormat,
  sampleFormat,
];
