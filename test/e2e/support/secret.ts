/** The text that must not be stored, and the look for it. */

/** Everything that a worker of the checks takes, makes or says holds it. */
export const SECRET = 'card-4242-4242-4242';

/** The secret as it is, and as it is in base64 wherever it begins: what the first and last bytes decide is cut off. */
const NEEDLES = [
  SECRET,
  ...[0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), Buffer.from(SECRET)]).toString('base64');
    return text.slice(Math.ceil((before * 8) / 6), Math.floor(((before + SECRET.length) * 8) / 6));
  }),
];

/** Whether the secret can be read in the bytes, plain or in base64. */
export function isReadable(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes).toString('latin1');
  return NEEDLES.some((needle) => text.includes(needle));
}
