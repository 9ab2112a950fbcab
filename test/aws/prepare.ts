/** Installs the Python tools before the first suite starts: with them missing, two Jest workers would each install them. */
import { pythonTools } from '../support/python.ts';

export default async function prepare(): Promise<void> {
  await pythonTools();
}
