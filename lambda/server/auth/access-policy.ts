/**
 * What a caller may do in a namespace. Rules only allow; nothing that matches means no.
 */
import type { Operation } from '../../../config/schema.ts';
import type { Caller } from './caller.ts';

/** The access decision. */
export interface AccessPolicy {
  /**
   * Whether `caller` may do `operation` in `namespace`. Answers at once, without a promise, when no
   * remote role has to be asked for.
   *
   * @throws IdentityUnavailableError when the answer depends on a role that cannot be looked up now
   */
  may(caller: Caller, operation: Operation, namespace: string): boolean | Promise<boolean>;
  /**
   * The name of a rule that covers the namespace for the operation, for someone who was denied to
   * ask for; undefined when there is none. Only for people whom some rule knows, for whatever
   * namespace: the names of a team's rules are no business of a stranger's.
   */
  ruleToAskFor(caller: Caller, operation: Operation, namespace: string): string | undefined;
}
