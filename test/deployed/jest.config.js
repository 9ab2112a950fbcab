/** The suites against the synthesized stack on loopback: `npm run test:deployed`. */
import base from '../../jest.config.js';

export default {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/test/deployed'],
  testPathIgnorePatterns: ['/node_modules/'],
};
