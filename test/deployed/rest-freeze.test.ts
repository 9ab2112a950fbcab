import { describeFreezes } from './freeze-suite.ts';
import { REST_FRONTS } from './fronts.ts';

for (const front of REST_FRONTS) describeFreezes(front);
