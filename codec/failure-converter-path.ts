/** Where the failure converter is, for the `failureConverterPath` of a data converter. */
import { fileURLToPath } from 'node:url';

/** It stands beside this module, with the same extension: `.ts` in the sources, `.js` when built. */
const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));

export const failureConverterPath = fileURLToPath(new URL(`failure-converter${extension}`, import.meta.url));
