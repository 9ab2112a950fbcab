import { gzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import dev from '../../environments/dev.ts';
import { SynthesizedTemplate } from '../support/synthesize.ts';

interface LogEvent {
  readonly timestamp: number;
  readonly message: string;
}

interface PutLogEvents {
  readonly logGroupName: string;
  readonly logStreamName: string;
  readonly logEvents: readonly LogEvent[];
}

type Handler = (event: unknown) => Promise<void>;

/** The code of the template's forwarder, run as Lambda would, with an AWS client that records. */
function forwarder(answer: (call: PutLogEvents) => object = () => ({})) {
  const code = new SynthesizedTemplate(dev).one('AWS::Lambda::Function', 'AuditForwarder').Properties.Code.ZipFile;
  const calls: PutLogEvents[] = [];
  const sdk = {
    PutLogEventsCommand: class {
      readonly input: PutLogEvents;
      constructor(input: PutLogEvents) {
        this.input = input;
      }
    },
    CloudWatchLogsClient: class {
      async send({ input }: { input: PutLogEvents }): Promise<object> {
        calls.push(input);
        return answer(input);
      }
    },
  };
  const require = (name: string) =>
    name === '@aws-sdk/client-cloudwatch-logs' ? sdk : process.getBuiltinModule(name as never);
  const module: { handler?: Handler } = {};
  const env = { AUDIT_LOG_GROUP: 'the-audit-group', AUDIT_LOG_STREAM: 'audit' };
  new Function('require', 'exports', 'process', code)(require, module, { env });
  return { calls, handler: module.handler as Handler };
}

function delivery(logEvents: readonly LogEvent[], messageType = 'DATA_MESSAGE') {
  const data = { messageType, logGroup: 'g', logStream: 's', logEvents: logEvents.map((it) => ({ id: '1', ...it })) };
  return { awslogs: { data: gzipSync(JSON.stringify(data)).toString('base64') } };
}

const line = (timestamp: number, message = `{"type":"audit","at":${timestamp}}`): LogEvent => ({ timestamp, message });

describe('the forwarder of audit lines', () => {
  it('puts the lines into the audit group, in the order of their time', async () => {
    const { handler, calls } = forwarder();
    await handler(delivery([line(3), line(1), line(2)]));
    expect(calls).toEqual([
      { logGroupName: 'the-audit-group', logStreamName: 'audit', logEvents: [line(1), line(2), line(3)] },
    ]);
  });

  it('keeps within what CloudWatch Logs takes in a call, and loses no line', async () => {
    const { handler, calls } = forwarder();
    const long = Array.from({ length: 30 }, (_, at) => line(at, 'ü'.repeat(50_000)));
    await handler(delivery(long));
    for (const { logEvents } of calls) {
      const bytes = logEvents.reduce((sum, { message }) => sum + Buffer.byteLength(message) + 26, 0);
      expect(bytes).toBeLessThanOrEqual(1_048_576);
    }
    expect(calls.flatMap(({ logEvents }) => logEvents)).toEqual(long);

    const many = forwarder();
    await many.handler(delivery(Array.from({ length: 10_001 }, (_, at) => line(at))));
    expect(many.calls.map(({ logEvents }) => logEvents.length)).toEqual([10_000, 1]);
  });

  it('does nothing for the message by which CloudWatch Logs tries the subscription', async () => {
    const { handler, calls } = forwarder();
    await handler(delivery([line(1)], 'CONTROL_MESSAGE'));
    expect(calls).toEqual([]);
  });

  it('fails, so that Lambda tries again, when a line is not taken', async () => {
    const partly = forwarder(() => ({ rejectedLogEventsInfo: { tooOldLogEventEndIndex: 1 } }));
    await expect(partly.handler(delivery([line(1)]))).rejects.toThrow('only a part');
    const denied = forwarder(() => {
      throw new Error('AccessDeniedException');
    });
    await expect(denied.handler(delivery([line(1)]))).rejects.toThrow('AccessDenied');
  });
});
