/** Programs in other languages that are worker and client of Temporal and encrypt by themselves. */
import { join } from 'node:path';
import { projectRoot, suiteRoot } from './paths.ts';
import { goPeer, javaPeer, pythonPeer } from './tools.ts';
import { versionInRequirements, versionOfGoModule, versionOfMavenArtifact } from './versions.ts';

/** A peer in one language. */
export interface Peer {
  readonly language: string;
  /** SDK and version. */
  readonly name: string;
  /** The program and the arguments that come before the peer's own. */
  command(): Promise<readonly [program: string, ...args: string[]]>;
}

/** Every peer. All take the same arguments: see `peers/python/peer.py`. */
export const peers: readonly Peer[] = [
  {
    language: 'Python',
    name: `Python SDK ${versionInRequirements(join(projectRoot, 'examples/python/requirements.txt'), 'temporalio')}`,
    command: async () => [await pythonPeer(), join(suiteRoot, 'peers/python/peer.py')],
  },
  {
    language: 'Go',
    name: `Go SDK ${versionOfGoModule(join(suiteRoot, 'peers/go/go.mod'), 'go.temporal.io/sdk')}`,
    command: async () => [await goPeer()],
  },
  {
    language: 'Java',
    name: `Java SDK ${versionOfMavenArtifact(join(suiteRoot, 'peers/java/pom.xml'), 'temporal.version')}`,
    command: async () => ['java', '-cp', await javaPeer(), 'e2e.Peer'],
  },
];
