import { describe, expect, it } from '@jest/globals';
import { allSinks, createAuditLog } from '../../../../lambda/server/audit/audit.ts';
import { auditEntry, auditLine } from '../../../support/audit-entry.ts';

describe('the audit line', () => {
  it('says who did what where, with what outcome', () => {
    const { time, ...line } = JSON.parse(auditLine(auditEntry()));
    expect(Math.abs(Date.parse(time) - Date.now())).toBeLessThan(5_000);
    expect(line).toEqual({
      type: 'audit',
      requestId: 'request-1',
      operation: 'decode',
      status: 200,
      durationMs: 1.235,
      caller: { method: 'token', subject: 'sub|alice@acme.com', email: 'alice@acme.com', issuer: 'https://idp/' },
      origin: 'https://cloud.temporal.io',
      sourceAddress: '203.0.113.7',
      namedNamespace: 'orders',
      namespaces: { allowed: ['orders'], denied: [] },
      opened: ['orders'],
      payloads: { decoded: 1 },
      keyIds: ['keyring/a'],
      cacheHits: 1,
      cacheMisses: 0,
    });
  });

  it('says of a bulk read that it was one', () => {
    expect(JSON.parse(auditLine(auditEntry({ bulk: true })))).toMatchObject({ bulk: true });
  });

  it('tells allowed namespaces from denied ones, and a stranger by what was wrong', () => {
    const mixed = auditEntry({
      namespaces: new Map([
        ['orders', 'allowed'],
        ['billing', 'denied'],
        ['payments', 'denied'],
      ]),
    });
    expect(JSON.parse(auditLine(mixed)).namespaces).toEqual({ allowed: ['orders'], denied: ['billing', 'payments'] });
    const stranger = JSON.parse(auditLine(auditEntry({ caller: undefined, unauthenticated: 'expired', status: 401 })));
    expect(stranger).toMatchObject({ unauthenticated: 'expired', status: 401 });
    expect(stranger).not.toHaveProperty('caller');
  });

  it('is one line, however hard a name tries to start another', () => {
    const name = 'orders"}\n{"type":"audit","caller":{"email":"bob@acme.com"}}\u2028';
    const line = auditLine(auditEntry({ namedNamespace: name, namespaces: new Map([[name, 'denied']]) }));
    expect(line).not.toMatch(/[\n\r]/);
    expect(JSON.parse(line)).toMatchObject({ caller: { email: 'alice@acme.com' }, namespaces: { denied: [name] } });
  });

  it('moves no cursor and turns no text on the terminal or console that shows it, and parses to the same names', () => {
    const name = 'größe\u009b2J\u202egnp\u200b';
    const namespaces = new Map([
      [name, 'denied' as const],
      ['orders', 'denied' as const],
    ]);
    const opened = new Set([name]);
    const line = auditLine(auditEntry({ namedNamespace: name, origin: name, namespaces, opened }));
    expect(line).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    expect(line).toContain('größe');
    expect(JSON.parse(line)).toMatchObject({
      namedNamespace: name,
      opened: [name],
      namespaces: { denied: [name, 'orders'] },
    });
  });

  it('stays short, however long names are and however many', () => {
    const namespaces = new Map(
      Array.from({ length: 1_000 }, (_, i) => [`${i}-${'x'.repeat(5_000)}`, 'denied' as const]),
    );
    const line = auditLine(auditEntry({ namespaces, origin: 'o'.repeat(9_000), namedNamespace: 'n'.repeat(9_000) }));
    expect(line.length).toBeLessThan(20_000);
    expect(JSON.parse(line).namespaces.denied.at(-1)).toBe('… and 950 more');
  });

  it('never leaves out or cuts a namespace that was opened', () => {
    const opened = Array.from({ length: 50 }, (_, i) => `${i}-${'x'.repeat(990)}`);
    expect(JSON.parse(auditLine(auditEntry({ opened: new Set(opened) }))).opened).toEqual(opened);
  });

  it('holds no token, wherever somebody put one', () => {
    const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl';
    const token = `codec_${'a'.repeat(43)}`;
    const line = auditLine(
      auditEntry({
        namedNamespace: jwt,
        origin: `https://x/?t=${token}`,
        namespaces: new Map([[`Bearer ${jwt}`, 'denied']]),
      }),
    );
    expect(line).not.toContain('eyJ');
    expect(line).not.toContain(token);
    expect(line).toContain('[redacted]');
  });

  it('goes to every sink', () => {
    const lines: string[] = [];
    const sink = createAuditLog((line) => lines.push(line));
    allSinks(sink, sink).record(auditEntry());
    expect(lines).toHaveLength(2);
  });
});
