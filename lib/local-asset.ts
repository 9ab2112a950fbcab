/** An asset that is put together in this process when its stack is synthesized, named by what is in it. */
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';

/**
 * Code that `write` puts into a folder.
 *
 * @param source a folder that exists; the CDK asks for one
 * @param key says which asset it is: the CDK takes two of the same source for one, and so would give an environment the
 *   configuration of another
 */
export function localAsset(source: string, key: readonly string[], write: (outdir: string) => void): Code {
  return Code.fromAsset(source, {
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never used: everything happens in this process.
      image: DockerImage.fromRegistry('none'),
      environment: { ASSET: JSON.stringify(key) },
      local: {
        tryBundle(outdir) {
          write(outdir);
          return true;
        },
      },
    },
  });
}
