/** Where a scanner of JSON is: the arrays and objects that are open, and how to say so. */

/** An array or an object that has begun. */
export interface Frame {
  readonly isArray: boolean;
  /** Where it begins, in the buffer. */
  start: number;
  /** The name that was read last, or the index. */
  name: string;
  index: number;
  /** Names that were read. */
  names: number;
  /** Whether every name was one of a payload's so far, and the fields they stood for; see PAYLOAD_NAMES. */
  candidate: boolean;
  fields: number;
  /** Whether it stands under `metadata` of a candidate. */
  readonly isMetadata: boolean;
  /** Whether it holds an object `metadata` with an `encoding`. */
  hasEncoding: boolean;
  /** The text of that object, and how many names it has. */
  metadata: string;
  metadataNames: number;
}

/** Steps of a place that are shown; a document may be nested as deep as it likes. */
const MAX_STEPS = 40;
const SIMPLE_NAME = /^[A-Za-z_$][\w$]*$/;

/** Where the value is that the frames up to a depth lead to, such as `events[0].input`. */
export function placeOf(stack: readonly Frame[], depth: number): string {
  let place = '';
  for (let i = 0; i < depth; i++) {
    if (depth > MAX_STEPS && i === MAX_STEPS / 2) {
      place += '…';
      i = depth - MAX_STEPS / 2;
    }
    const { isArray, index, name } = stack[i] as Frame;
    if (isArray) place += `[${index}]`;
    else if (!SIMPLE_NAME.test(name)) place += `[${JSON.stringify(name)}]`;
    else place += place === '' ? name : `.${name}`;
  }
  return place;
}
