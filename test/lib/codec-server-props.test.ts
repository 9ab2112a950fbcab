import { describe, expect, it } from '@jest/globals';
import { App, Stack } from 'aws-cdk-lib';
import { type IKey, Key } from 'aws-cdk-lib/aws-kms';
import { checkProps, deploymentOf } from '../../lib/codec-server-props.ts';
import prod from '../support/environments/prod.ts';

const OLD_KEY = 'arn:aws:kms:eu-central-1:111122223333:key/2f5ae1c0-5f2b-4d5f-a7d1-8a2c1b3d4e5f';
const OTHER_KEY = 'arn:aws:kms:eu-central-1:111122223333:key/7d6c5b4a-1f2e-4d3c-9b8a-0a1b2c3d4e5f';

/** Problems of a construct whose given key writes for one namespace, while another reads what a proxy wrapped with the old key. */
function problemsWith(keyOf: (stack: Stack) => IKey) {
  const stack = new Stack(new App(), 'Stack');
  const { deployment: _, ...config } = prod;
  const [namespace, legacy] = ['orders-prod.a1b2c', 'legacy-prod.a1b2c'];
  const props = {
    name: 'prod',
    config: {
      ...config,
      defaultNamespace: null,
      storage: null,
      access: [
        { name: 'team', namespaces: [namespace, legacy], people: [{ email: 'a@example.com' }], allow: ['decode'] },
      ],
      keys: {
        keyring: null,
        staticKeys: null,
        kms: [
          { namespaces: [namespace], write: 'created-by-stack' },
          { namespaces: [legacy], write: null, read: [OLD_KEY], foreignFormats: ['temporal-proxy'] },
        ],
      },
    },
    encryptionKey: keyOf(stack),
  } as const;
  return checkProps(props, deploymentOf(stack, props));
}

describe("a construct with a team's own key", () => {
  it('is refused where that key reads what binds nothing for another namespace, before the function would refuse to start', () => {
    const [problem, ...others] = problemsWith((stack) => Key.fromKeyArn(stack, 'Key', OLD_KEY));
    expect(problem?.path).toBe('keys.kms[1].foreignFormats');
    expect(problem?.message).toMatch(/temporal-proxy binds .* serves orders-prod\.a1b2c, legacy-prod\.a1b2c/);
    expect(others).toEqual([]);
  });

  it.each<[string, (stack: Stack) => IKey]>([
    ['another key', (stack) => Key.fromKeyArn(stack, 'Key', OTHER_KEY)],
    ['a key that is made in the app', (stack) => new Key(stack, 'Key')],
  ])('is made with %s', (_what, keyOf) => {
    expect(problemsWith(keyOf)).toEqual([]);
  });
});
