import { availableParallelism } from 'node:os';

/** Jest runs on the project's own Node with native ES modules; swc only strips the types. */
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { target: 'es2024', parser: { syntax: 'typescript' } }, module: { type: 'es6' }, sourceMaps: 'inline' },
    ],
  },
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: ['/node_modules/', '<rootDir>/test/e2e/', '<rootDir>/test/aws/', '<rootDir>/test/deployed/'],
  moduleFileExtensions: ['ts', 'js', 'json', 'node'],
  // For a machine that is many times slower, and longer than the patience of a wait in a test, which says what did not happen.
  testTimeout: 300_000,
  // Jest leaves one core free, which is half of a machine with two.
  maxWorkers: Math.max(2, availableParallelism() - 1),
};
