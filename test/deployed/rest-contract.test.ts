import { describeContract } from '../contract/contract.ts';
import { REST_FRONTS } from './fronts.ts';
import { synthesizedStack } from './support/contract-target.ts';

for (const front of REST_FRONTS) describeContract(synthesizedStack(front));
