import { describeFreezes } from './freeze-suite.ts';

describeFreezes();
