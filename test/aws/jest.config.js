/** The suite against moto and the official SDKs of other languages: `npm run test:aws`. Needs Python 3 and PyPI. */
import base from '../../jest.config.js';

export default {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/test/aws'],
  testPathIgnorePatterns: ['/node_modules/'],
  globalSetup: '<rootDir>/test/aws/prepare.ts',
};
