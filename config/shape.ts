/**
 * The form of a configuration: which fields there are, which must be there, and of which type. For a
 * field that is a security choice, `undefined` is "forgotten" and an error; `null` is "declined".
 */
import { nearest, type Problem } from './problem.ts';

/** Checks a value at a place. */
type Check = (value: unknown, path: string) => Problem[];

/** A field that may be left out. */
interface Optional {
  readonly optional: Check;
}

type Fields = Readonly<Record<string, Check | Optional>>;

const text: Check = (value, path) => expected(typeof value === 'string' && value !== '', 'a text', value, path);
const isTrue: Check = (value, path) => expected(value === true, 'true, or nothing of it at all', value, path);
const flag: Check = (value, path) => expected(typeof value === 'boolean', 'true or false', value, path);
const number: Check = (value, path) => expected(typeof value === 'number', 'a number', value, path);

function oneOf(...values: readonly string[]): Check {
  const names = values.map((value) => `'${value}'`).join(', ');
  return (value, path) => {
    const meant = typeof value === 'string' ? nearest(value, values) : undefined;
    const what = values.length > 1 ? `one of ${names}` : names;
    return expected(values.includes(value as string), meant === undefined ? what : `'${meant}' (${what})`, value, path);
  };
}

function nullable(check: Check): Check {
  return (value, path) => (value === null ? [] : check(value, path));
}

function listOf(check: Check): Check {
  return (value, path) =>
    Array.isArray(value)
      ? value.flatMap((item, index) => check(item, `${path}[${index}]`))
      : [{ path, message: `is ${kindOf(value)}: write a list, [].` }];
}

function optional(check: Check): Optional {
  return { optional: check };
}

function object(fields: Fields): Check {
  return (value, path) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return [{ path: path || 'the configuration', message: `is ${kindOf(value)}: write an object, {}.` }];
    const at = (name: string) => (path === '' ? name : `${path}.${name}`);
    const record = value as Readonly<Record<string, unknown>>;
    const unknown = Object.keys(record)
      .filter((name) => !Object.hasOwn(fields, name))
      .map((name) => ({
        path: at(name),
        message: noSuchField(name, Object.keys(fields)),
      }));
    const known = Object.entries(fields).flatMap(([name, field]): Problem[] => {
      const given = record[name];
      if (given !== undefined) return (typeof field === 'function' ? field : field.optional)(given, at(name));
      return typeof field === 'function' ? [{ path: at(name), message: forgotten(field) }] : [];
    });
    return [...known, ...unknown];
  };
}

function noSuchField(name: string, fields: readonly string[]): string {
  const meant = nearest(name, fields);
  const fix = meant === undefined ? 'remove it, or correct its name' : `did you mean ${meant}? All fields here`;
  return `there is no such field: ${fix} (${fields.join(', ')}).`;
}

function forgotten(check: Check): string {
  const declinable = check(null, '').length === 0;
  return `is missing: ${declinable ? 'set it, or write null to decline it.' : 'set it.'}`;
}

/** One of several forms of an object, told apart by a field that only one of them has. */
function formOf(forms: Readonly<Record<string, Check>>, otherwise: string): Check {
  return (value, path) => {
    const name = Object.keys(forms).find(
      (field) => typeof value === 'object' && value !== null && Object.hasOwn(value, field),
    );
    const check = name === undefined ? undefined : forms[name];
    return check === undefined ? [{ path, message: `is ${kindOf(value)}: write ${otherwise}.` }] : check(value, path);
  };
}

const secretRef: Check = (value, path) => (value === 'created-by-stack' ? [] : object({ arn: text })(value, path));
const fileOrSecret = { secret: object({ secret: secretRef }), file: object({ file: text }) };

const people: Check = (value, path) =>
  value === 'anyone-on-loopback'
    ? []
    : formOf(
        {
          email: object({ email: text, issuer: optional(text) }),
          emailDomain: object({ emailDomain: text, issuer: optional(text) }),
          claim: object({ claim: text, includes: text, issuer: optional(text) }),
          temporalCloudRole: object({ temporalCloudRole: oneOf('read', 'write', 'admin'), issuer: optional(text) }),
          serviceToken: object({ serviceToken: text }),
        },
        "{ email }, { emailDomain }, { claim, includes }, { temporalCloudRole }, { serviceToken } or 'anyone-on-loopback'",
      )(value, path);

/** An object of texts under names of one's own. */
const textMap: Check = (value, path) =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.entries(value).flatMap(([name, given]) => text(given, `${path}.${name}`))
    : object({})(value, path);

const reach: Check = (value, path) =>
  value === 'internet'
    ? []
    : formOf(
        { addresses: object({ addresses: listOf(text) }), vpcEndpoints: object({ vpcEndpoints: listOf(text) }) },
        "'internet', { addresses } or { vpcEndpoints }",
      )(value, path);

const front: Check = (value, path) =>
  value === 'http-api'
    ? []
    : formOf(
        { type: object({ type: oneOf('rest-api'), reach, webAcl: nullable(object({ arn: text })), tracing: flag }) },
        "'http-api' or { type: 'rest-api', reach, webAcl, tracing }",
      )(value, path);

/** Of an environment on AWS; what its values may be is checked where it is deployed. */
const deployment = object({
  target: nullable(object({ account: text, region: text })),
  onDelete: oneOf('retain', 'destroy'),
  terminationProtection: flag,
  logs: object({
    level: oneOf('DEBUG', 'INFO', 'WARN', 'ERROR'),
    retentionDays: number,
    auditRetentionDays: number,
    encryption: oneOf('aws', 'customer-managed'),
  }),
  throttling: object({ rate: number, burst: number }),
  concurrency: object({ reserved: nullable(number), provisioned: nullable(number) }),
  front: optional(front),
  domain: nullable(
    object({
      name: text,
      certificateArn: text,
      hostedZone: nullable(object({ id: text, name: text })),
      keepDefaultEndpoint: flag,
    }),
  ),
  alarms: nullable(
    object({
      topic: nullable(secretRef),
      latencyP99Ms: optional(number),
      denials: optional(number),
      runbookUrl: optional(text),
      canary: optional(flag),
    }),
  ),
  tags: optional(textMap),
  helpUrl: optional(text),
});

const algorithms = listOf(oneOf('RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'EdDSA'));

const issuer: Check = (value, path) =>
  (value as { type?: unknown } | null)?.type === 'oidc'
    ? object({
        type: text,
        issuer: text,
        jwksUri: text,
        audience: nullable((given, place) => (Array.isArray(given) ? listOf(text)(given, place) : text(given, place))),
        from: oneOf('authorization', 'authorization-extras'),
        algorithms: optional(algorithms),
        emailClaim: optional(text),
      })(value, path)
    : object({
        type: oneOf('temporal-cloud', 'oidc'),
        issuer: optional(text),
        jwksUri: optional(text),
        audience: optional(text),
        emailClaim: optional(text),
      })(value, path);

const customCodec: Check = (value, path) => {
  const codec = (value as { codec?: { encode?: unknown; decode?: unknown } } | null)?.codec;
  const works = typeof codec?.encode === 'function' && typeof codec.decode === 'function';
  return [
    ...object({ codec: () => [], namespaces: optional(listOf(text)) })(value, path),
    ...(works
      ? []
      : [{ path: `${path}.codec`, message: 'is not a PayloadCodec: it needs the methods encode and decode.' }]),
  ];
};

const configuration = object({
  version: optional(number),
  defaultNamespace: nullable(text),
  cors: object({ origins: listOf(text), credentials: flag }),
  failures: oneOf('explain', 'return-encoded', 'reject'),
  explainTo: optional(oneOf('browsers', 'browsers-and-cli')),
  plaintext: optional(oneOf('accept', 'refuse')),
  compression: nullable(oneOf('zstd', 'zlib')),
  identity: nullable(
    object({
      issuers: listOf(issuer),
      serviceTokens: nullable(formOf(fileOrSecret, '{ secret } or { file }')),
      temporalCloudRoles: optional(
        nullable(
          object({
            apiKey: formOf(fileOrSecret, '{ secret } or { file }'),
            endpoint: optional(text),
            cacheSeconds: optional(number),
          }),
        ),
      ),
      signIn: optional(
        nullable(
          object({
            issuer: text,
            clientId: text,
            clientSecret: nullable(formOf(fileOrSecret, '{ secret }, { file } or null')),
            publicUrl: text,
            sessionKeys: formOf(fileOrSecret, '{ secret } or { file }'),
            scopes: optional(listOf(text)),
            emailClaim: optional(text),
            algorithms: optional(algorithms),
            absoluteSeconds: optional(number),
            idleSeconds: optional(number),
            whenBoth: optional(oneOf('token', 'session')),
          }),
        ),
      ),
      clockLeewaySeconds: optional(number),
    }),
  ),
  access: listOf(
    object({ name: text, namespaces: listOf(text), people: listOf(people), allow: listOf(oneOf('decode', 'encode')) }),
  ),
  codecs: optional(listOf(customCodec)),
  limits: optional(
    object({
      bodyBytes: optional(number),
      payloads: optional(number),
      layers: optional(number),
      inflatedBytes: optional(number),
    }),
  ),
  keys: object({
    keyring: nullable(object({ file: text, namespaces: optional(listOf(text)) })),
    keyringSecret: optional(nullable(object({ secret: secretRef, namespaces: listOf(text) }))),
    kms: nullable(
      listOf(
        object({
          namespaces: listOf(text),
          write: nullable(text),
          read: optional(listOf(text)),
          assumeRole: optional(text),
          foreignFormats: optional(
            listOf(oneOf('temporal-proxy', 'temporal-cloud-proxy', 'kms-python-sample', 'kms-java-sample', 'stdgo')),
          ),
          keyUriContexts: optional(listOf(textMap)),
        }),
      ),
    ),
    staticKeys: nullable(
      formOf(
        { ...fileOrSecret, samplesTestKey: object({ samplesTestKey: isTrue }) },
        '{ secret }, { file } or { samplesTestKey: true }',
      ),
    ),
    cache: optional(
      object({
        maxKeys: optional(number),
        ttlSeconds: optional(number),
        writeSeconds: optional(number),
        outageSeconds: optional(number),
        maxMessages: optional(number),
        maxBytes: optional(number),
      }),
    ),
  }),
  storage: optional(
    nullable(
      object({
        buckets: listOf(
          object({
            bucket: text,
            region: optional(text),
            namespaces: listOf(text),
            write: optional(flag),
            driverNames: optional(listOf(text)),
            owner: optional(text),
            encryptionKey: optional(text),
            expireAfterDays: optional(nullable(number)),
          }),
        ),
        storeFromBytes: optional(number),
        limits: optional(
          object({ objectBytes: optional(number), requestBytes: optional(number), parallel: optional(number) }),
        ),
      }),
    ),
  ),
  deployment: optional(deployment),
});

/** Problems of form; empty when every field is there, known, and of its type. */
export function checkShape(config: unknown): Problem[] {
  return configuration(config, '');
}

function expected(fulfilled: boolean, what: string, value: unknown, path: string): Problem[] {
  return fulfilled ? [] : [{ path, message: `is ${kindOf(value)}: write ${what}.` }];
}

/** What a value is, without printing it: it may be a secret in the wrong place. */
function kindOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (value === '') return 'empty';
  return typeof value === 'object' ? 'an object of another form' : `a ${typeof value}`;
}
