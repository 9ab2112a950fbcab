/**
 * `node:process` as the function's bundle gets it. An ES module that imports it makes Node look at
 * every export, and so open the standard streams: 6 ms of every cold start for two names.
 */
export const { env, versions } = process;
export default process;
