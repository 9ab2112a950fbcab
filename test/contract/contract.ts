/**
 * The contract: what clients of a codec server rely on, stated once and held against everything that
 * claims to be ours.
 */
import { describe } from '@jest/globals';
import { describeBadInput } from './bad-input.ts';
import { describeCors } from './cors.ts';
import { describeOutcomes } from './outcomes.ts';
import { describeRequests } from './requests.ts';
import { describeResponses } from './responses.ts';
import type { TargetKind } from './target.ts';
import { describeVariants } from './variants.ts';

/** Declares the whole suite against one kind of target. */
export function describeContract(kind: TargetKind): void {
  describe(`the contract: ${kind.name}`, () => {
    describeRequests(kind);
    describeResponses(kind);
    describeOutcomes(kind);
    describeBadInput(kind);
    if (kind.ownsCors) describeCors(kind);
    if (kind.variants) describeVariants(kind);
  });
}
