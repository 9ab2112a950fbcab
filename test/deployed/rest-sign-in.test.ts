import { REST_FRONTS } from './fronts.ts';
import { describeSignIn } from './sign-in-suite.ts';

for (const front of REST_FRONTS) describeSignIn(front);
