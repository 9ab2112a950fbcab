/**
 * What a preflight is about: the one place where the local server, which answers it, the stack, whose
 * gateway does, and `doctor`, which asks as the Web UI does, learn it.
 */

/** The headers that the Web UI sends with a request; `*` would never cover `authorization`. */
export const WEB_UI_HEADERS = ['content-type', 'x-namespace', 'authorization', 'authorization-extras'] as const;

/** Seconds that a browser may remember a preflight: Chromium's maximum. */
export const PREFLIGHT_MAX_AGE_SECONDS = 7200;
