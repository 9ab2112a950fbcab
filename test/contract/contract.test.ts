import { describeContract } from './contract.ts';
import { IN_PROCESS } from './in-process.ts';
import { LOCAL_SERVER } from './local.ts';

describeContract(IN_PROCESS);
describeContract(LOCAL_SERVER);
