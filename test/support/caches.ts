/**
 * Where the suites keep what they install, build and download: one place for all of them, so that none fetches or
 * compiles again what another has.
 */
import { join, resolve } from 'node:path';

const ROOT = resolve(import.meta.dirname, '../..');

/** `CODEC_SERVER_CACHE` names another place than `.cache`, for CI. */
export const cacheRoot = resolve(ROOT, process.env['CODEC_SERVER_CACHE'] ?? '.cache');

type Environment = Readonly<Record<string, string>>;

/** Where Go keeps modules and what it has compiled. */
export const goEnvironment: Environment = {
  GOPATH: join(cacheRoot, 'go'),
  GOCACHE: join(cacheRoot, 'go-build'),
  // Without it the module cache is read-only, and a cache that cannot be deleted is a nuisance.
  // The paths are trimmed everywhere, so that every program shares what was compiled for another.
  GOFLAGS: '-modcacherw -trimpath',
  CGO_ENABLED: '0',
};

/** Where pip keeps packages. */
export const pipEnvironment: Environment = { PIP_CACHE_DIR: join(cacheRoot, 'pip') };

/** Options of `mvn`: where it keeps packages, and how often it asks again when a connection breaks. */
export const mavenOptions: readonly string[] = [
  `-Dmaven.repo.local=${join(cacheRoot, 'maven')}`,
  // Maven 3.8 and older, and newer ones.
  '-Dmaven.wagon.http.retryHandler.count=5',
  '-Daether.connector.http.retryHandler.count=5',
];
