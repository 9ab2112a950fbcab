/** What a codec server is given where its environment has a sign-in of its own, and how it is made. */
import type { AccessRule, SignInConfig } from '../../../config/schema.ts';
import type { AuditSink } from '../audit/audit.ts';
import type { AuthenticatorParts } from '../auth/authenticator.ts';
import type { CodecPipeline } from '../http/message.ts';
import type { IdentityHost } from '../open-identity.ts';

/** What the pages in front of a pipeline need of it. */
export interface FrontSettings {
  readonly access: readonly AccessRule[];
  /** Origins of the Web UIs that may call. */
  readonly origins: readonly string[];
  readonly audit: AuditSink;
  /** Told of what should never happen, for the log. */
  readonly onBug: (error: unknown, requestId: string) => void;
}

/** An environment's sign-in, in use. */
export interface SignIn {
  /** For the authenticator. */
  readonly parts: Required<Pick<AuthenticatorParts, 'sessions' | 'whenBoth' | 'signInAddress'>>;
  /** A pipeline that answers the sign-in's own paths, and prolongs the sessions of those it decoded for. */
  inFrontOf(pipeline: CodecPipeline, settings: FrontSettings): CodecPipeline;
  /** Fetches early what the first request would wait for. Never rejects. */
  warmUp(): Promise<void>;
}

/**
 * Opens a sign-in. Its code is given to {@link openIdentity} from outside, so that a bundle without it
 * has none of it.
 *
 * @throws NotHereError when only a stack can give a secret
 * @throws CodecError when a file cannot be used
 */
export type OpenSignIn = (
  config: SignInConfig,
  host: IdentityHost & { readonly clockLeewaySeconds: number | undefined },
) => Promise<SignIn>;
