/** The page on setting a Namespace as code: names are those of Temporal's tools, and its program does what it says. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import prod from '../support/environments/prod.ts';
import { SynthesizedTemplate } from '../support/synthesize.ts';

/** Copied from temporalio/terraform-provider-temporalcloud v1.5.0, docs/resources/namespace.md. */
const TERRAFORM = {
  resource: ['api_key_auth', 'codec_server', 'name', 'regions', 'retention_days'],
  codec_server: [
    'custom_error_link',
    'custom_error_message',
    'endpoint',
    'include_cross_origin_credentials',
    'pass_access_token',
  ],
};
/** Copied from temporalio/cloud-api v0.19.1, CodecServerSpec and UpdateNamespaceRequest, in their JSON. */
const CLOUD_API = {
  path: '/cloud/namespaces/{namespace}',
  request: ['namespace', 'spec', 'resourceVersion', 'asyncOperationId'],
  codecServer: ['endpoint', 'passAccessToken', 'includeCrossOriginCredentials', 'customErrorMessage'],
  message: ['message', 'link'],
};
/** Copied from temporalio/tcld v0.55.0, app/namespace.go; switches take no value. */
const TCLD = ['--namespace', '--endpoint', '--pass-access-token', '--include-credentials'];

const page = readFileSync(new URL('../../docs/temporal-as-code.md', import.meta.url), 'utf8');
const block = (language: string): string => new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms').exec(page)?.[1] ?? '';
const folder = mkdtempSync(join(tmpdir(), 'temporal-as-code-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the page on Temporal’s side as code', () => {
  it('has the names of each tool in its table, setting by setting', () => {
    const rows = [...page.matchAll(/^\| [^|]+ \| `(\w+)` \| `([\w.]+)` \| (?:`(--[\w-]+)`|–) \|$/gm)];
    expect(rows.map(([, name]) => name).sort()).toEqual(TERRAFORM.codec_server);
    expect(rows.map(([, , path = '']) => path.split('.')[0])).toEqual([...CLOUD_API.codecServer, 'customErrorMessage']);
    expect(rows.flatMap(([, , path = '']) => path.split('default.')[1] ?? [])).toEqual(CLOUD_API.message);
    expect(rows.flatMap(([, , , option]) => option ?? [])).toEqual(TCLD.slice(1));
  });

  it('sets in Terraform what the provider has', () => {
    const hcl = block('hcl');
    const names = (indent: number) =>
      [...hcl.matchAll(new RegExp(`^ {${indent}}(\\w+) +=`, 'gm'))].map(([, name]) => name).sort();
    expect(names(2)).toEqual([...TERRAFORM.resource, 'codec'].sort());
    expect(names(4)).toEqual(TERRAFORM.codec_server);
  });

  it('asks tcld for what it has', () => {
    const command = /^tcld namespace update-codec-server .+$/m.exec(page)?.[0] ?? '';
    const options = command.match(/--[\w-]+/g) ?? [];
    expect(options).toEqual(TCLD.slice(0, 3));
    expect(command.endsWith('--pass-access-token')).toBe(true);
  });

  it('names outputs that the stack has', () => {
    const outputs = Object.keys(new SynthesizedTemplate(prod, 'prod').template.toJSON()['Outputs']);
    const named = [...page.matchAll(/(?:codec|outputs)\.(\w+)/g)].map(([, name]) => name).filter((it) => it !== 'json');
    expect(new Set(named)).toEqual(new Set(['CodecEndpoint', 'CustomErrorMessage']));
    expect(outputs).toEqual(expect.arrayContaining([...new Set(named)]));
  });

  it('has a program that changes the codec server of a Namespace and nothing else of it', () => {
    const outputs = { CodecEndpoint: 'https://codec.example.com', CustomErrorMessage: 'ask the team' };
    writeFileSync(join(folder, 'outputs.json'), JSON.stringify({ 'CodecServer-prod': outputs }));
    writeFileSync(join(folder, 'set-codec-server.mjs'), block('js'));
    const current = { name: 'orders-prod', retentionDays: 30, codecServer: { endpoint: 'https://old.example.com' } };
    const standIn = `globalThis.fetch = async (url, { method = 'GET', headers, body }) => {
      console.log(JSON.stringify({ url, method, version: headers['temporal-cloud-api-version'], proof: headers.authorization, body }));
      return Response.json(method === 'GET' ? { namespace: { resourceVersion: 'v7', spec: ${JSON.stringify(current)} } } : {});
    };`;
    const stub = `data:text/javascript,${encodeURIComponent(standIn)}`;
    const [, node = '', ...rest] = /^(node) (set-codec-server\.mjs) (\S+) (\S+)$/m.exec(page) ?? [];
    expect(node).toBe('node');
    const { status, stdout, stderr } = spawnSync(process.execPath, ['--import', stub, ...rest], {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, TEMPORAL_CLOUD_API_KEY: 'key' },
    });
    expect([status, stderr]).toEqual([0, '']);
    const [read, update] = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    const url = `https://saas-api.tmprl.cloud${CLOUD_API.path.replace('{namespace}', 'orders-prod.a1b2c')}`;
    for (const call of [read, update]) expect(call).toMatchObject({ url, version: 'v0.19.1', proof: 'Bearer key' });
    expect([read.method, update.method]).toEqual(['GET', 'POST']);
    const body = JSON.parse(update.body);
    expect(CLOUD_API.request).toEqual(expect.arrayContaining(Object.keys(body)));
    const { codecServer, ...others } = body.spec;
    expect([body.resourceVersion, others]).toEqual(['v7', { name: 'orders-prod', retentionDays: 30 }]);
    expect(Object.keys(codecServer)).toEqual(CLOUD_API.codecServer);
    expect(Object.keys(codecServer.customErrorMessage.default)).toEqual(CLOUD_API.message);
    expect([codecServer.endpoint, codecServer.customErrorMessage.default.message]).toEqual(Object.values(outputs));
  });
});
