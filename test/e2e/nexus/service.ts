/** What the caller's namespace asks of the handler's. */
import * as nexus from 'nexus-rpc';

export const billing = nexus.service('billing', {
  synchronous: nexus.operation<string, string>(),
  workflowRun: nexus.operation<string, string>(),
  failing: nexus.operation<string, string>(),
  waiting: nexus.operation<string, string>(),
});
