import { describe, expect, it } from '@jest/globals';
import dev from '../../environments/dev.ts';
import { STORAGE_KEY, withStorage } from '../support/environments/with-storage.ts';
import { SynthesizedTemplate } from '../support/synthesize.ts';

const stack = new SynthesizedTemplate(withStorage);
const bucket = () => stack.one('AWS::S3::Bucket');
const bucketId = stack.idOf('AWS::S3::Bucket');
const created = { 'Fn::GetAtt': [bucketId, 'Arn'] };
const inCreated = (prefix: string) => ({ 'Fn::Join': ['', [created, `/${prefix}*`]] });
const archive = (path: string) => ({
  'Fn::Join': ['', ['arn:', { Ref: 'AWS::Partition' }, `:s3:::acme-archive${path}`]],
});

describe('the bucket of the stack', () => {
  it('is private, encrypted, reached by TLS alone, and left to nobody’s access lists', () => {
    expect(bucket().Properties).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }],
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: 'BucketOwnerEnforced' }] },
    });
    const [{ Statement }] = Object.values(stack.all('AWS::S3::BucketPolicy')).map(
      ({ Properties }) => Properties.PolicyDocument,
    );
    expect(Statement).toContainEqual(
      expect.objectContaining({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }),
    );
  });

  it('forgets objects after the days that were asked for, and half-done uploads after one', () => {
    const { Rules } = bucket().Properties.LifecycleConfiguration;
    expect(Rules).toEqual([
      { AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 }, Status: 'Enabled' },
      { ExpirationInDays: 120, Status: 'Enabled' },
    ]);
  });

  it('stays or goes with the stack, as the environment says', () => {
    expect(bucket().DeletionPolicy).toBe('Delete');
    const retained = new SynthesizedTemplate({
      ...withStorage,
      deployment: { ...withStorage.deployment, onDelete: 'retain' },
    });
    expect(retained.one('AWS::S3::Bucket').DeletionPolicy).toBe('RetainExceptOnCreate');
  });

  it('is told to the function and to people, and is not made where nobody asks for it', () => {
    expect(stack.one('AWS::Lambda::Function', 'Codec').Properties.Environment.Variables).toMatchObject({
      STORAGE_BUCKET: { Ref: bucketId },
    });
    expect(stack.template.findOutputs('PayloadBucket')).toMatchObject({ PayloadBucket: { Value: { Ref: bucketId } } });
    const without = new SynthesizedTemplate(dev);
    expect(without.all('AWS::S3::Bucket')).toEqual({});
    expect(JSON.stringify(without.template.toJSON())).not.toContain('s3:GetObject');
  });
});

describe('rights on external storage', () => {
  it('let the function read objects of the namespaces, and write where the environment says so', () => {
    const statements = stack.statementsOf('CodecRole') as Record<string, unknown>;
    expect(statements['Storage0']).toEqual({
      Sid: 'Storage0',
      Effect: 'Allow',
      Action: ['s3:GetObject', 's3:PutObject'],
      Resource: ['v0/ns/orders-*.a1b2c/', 'v0/ns/gr%C3%B6%C3%9Fe%20%7E1/', 'v0/d/'].map(inCreated),
    });
    expect(statements['Storage1']).toEqual({
      Sid: 'Storage1',
      Effect: 'Allow',
      Action: 's3:GetObject',
      Resource: ['v0/ns/archive.a1b2c/', 'v0/d/'].map((prefix) => archive(`/${prefix}*`)),
    });
    expect(statements['StorageKey1']).toEqual({
      Sid: 'StorageKey1',
      Effect: 'Allow',
      Action: 'kms:Decrypt',
      Resource: STORAGE_KEY,
      Condition: {
        StringLike: {
          'kms:ViaService': 's3.eu-west-1.*',
          'kms:EncryptionContext:aws:s3:arn': [archive(''), archive('/*')],
        },
      },
    });
  });

  it('are rights on the objects behind an access point, where it stands in place of a bucket', () => {
    const arn = 'arn:aws:s3::111122223333:accesspoint/mfzwi23gnjvgw.mrap';
    const buckets = [{ bucket: arn, namespaces: ['orders.a1b2c'], encryptionKey: STORAGE_KEY }];
    const statements = new SynthesizedTemplate({ ...dev, storage: { buckets } }).statementsOf('CodecRole');
    expect(statements).toMatchObject({
      Storage0: { Resource: [`${arn}/object/v0/ns/orders.a1b2c/*`, `${arn}/object/v0/d/*`] },
      StorageKey0: { Condition: { StringLike: { 'kms:ViaService': 's3.*.*' } } },
    });
  });

  it('let workers read and write them all', () => {
    const { Properties } = stack.one('AWS::IAM::ManagedPolicy', 'Workers');
    const actions = (Properties.PolicyDocument.Statement as { Sid: string; Action: unknown }[])
      .filter(({ Sid }) => Sid.startsWith('Storage'))
      .map(({ Sid, Action }) => [Sid, Action]);
    expect(actions).toEqual([
      ['Storage0', ['s3:GetObject', 's3:PutObject']],
      ['Storage1', ['s3:GetObject', 's3:PutObject']],
      ['StorageKey1', ['kms:Decrypt', 'kms:GenerateDataKey']],
    ]);
  });
});
