/** Where the suite finds the project, and where it keeps what it installs and makes. */
import { resolve } from 'node:path';

/** The project's root. */
export const projectRoot = resolve(import.meta.dirname, '../../..');

/** The suite's own folder: its packages, peers and the program that runs Temporal. */
export const suiteRoot = resolve(import.meta.dirname, '..');

/** What a run leaves behind: screenshots, recorded traffic, results. */
export const artifactRoot = resolve(projectRoot, process.env['CODEC_SERVER_ARTIFACTS'] ?? '.cache/e2e');
