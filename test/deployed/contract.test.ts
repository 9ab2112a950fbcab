import { describeContract } from '../contract/contract.ts';
import { synthesizedStack } from './support/contract-target.ts';

describeContract(synthesizedStack());
