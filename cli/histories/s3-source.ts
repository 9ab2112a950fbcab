/** Histories in S3, as Temporal Cloud exports them: `s3://bucket/prefix`, with the credentials and Region of the environment. */

import { Readable } from 'node:stream';
import { type Source, SourceError } from './source.ts';

/** Every object whose key begins with what the address names. */
export async function* openS3(address: string): AsyncGenerator<Source> {
  const { bucket, prefix } = parts(address);
  const { GetObjectCommand, ListObjectsV2Command, S3Client } = await import('@aws-sdk/client-s3');
  const client = new S3Client({});
  try {
    let found = 0;
    let token: string | undefined;
    do {
      const page = await orSourceError(address, () =>
        client.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix, ContinuationToken: token })),
      );
      for (const { Key: key = '', Size: size } of page.Contents ?? []) {
        if (key.endsWith('/')) continue;
        found++;
        yield {
          name: `s3://${bucket}/${key}`,
          // Under the prefix's own folder, so that two prefixes do not meet in one file.
          outputName: key.slice(prefix.lastIndexOf('/') + 1),
          gzip: false,
          size,
          chunks: async function* () {
            const { Body } = await orSourceError(address, () =>
              client.send(new GetObjectCommand({ Bucket: bucket, Key: key })),
            );
            yield* Readable.from(Body as AsyncIterable<Buffer>) as AsyncIterable<Buffer>;
          },
        };
      }
      token = page.NextContinuationToken;
    } while (token !== undefined);
    if (found === 0) throw new SourceError(`${address}: there is no object of that prefix.`);
  } finally {
    client.destroy();
  }
}

function parts(address: string): { bucket: string; prefix: string } {
  const match = /^s3:\/\/([^/]+)(?:\/(.*))?$/.exec(address);
  if (match === null) throw new SourceError(`${address} is no S3 address: write s3://bucket/prefix.`);
  return { bucket: match[1] ?? '', prefix: match[2] ?? '' };
}

async function orSourceError<T>(address: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw new SourceError(`${address} cannot be read (${error instanceof Error ? error.name : 'error'}).`);
  }
}
