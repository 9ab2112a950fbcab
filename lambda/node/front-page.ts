/**
 * What a browser gets that opens the address of a server on one's own machine: what this is, and what to do next.
 * Behind a gateway there is no such route: whoever looks for open servers asks for `/` first, and would wake a function.
 */
import { htmlPage } from '../server/http/html-page.ts';
import type { CodecPipeline } from '../server/http/message.ts';

/** Not the title of the sign-in's page, by which `doctor` knows that people can sign in. */
const TITLE = 'Codec Server for Temporal';

const BODY = [
  '<p>This server decodes the payloads of Temporal workflows for people who may read them. ',
  'It has no pages of its own: Temporal’s Web UI and CLI ask it. Where this page asks for an address, take this page’s own, without the last slash.</p>',
  '<h2>Read payloads in the Web UI</h2>',
  '<p>Click the glasses at the top right (“Configure Codec Server”), and paste the address.</p>',
  '<h2>Read payloads in the CLI</h2>',
  '<p><code>temporal workflow show --detailed --workflow-id YOUR-WORKFLOW --codec-endpoint ADDRESS</code></p>',
  '<h2>When it does not work</h2>',
  '<p><code>codec-server doctor ADDRESS</code> names the cause. The terminal of this server has a line for each request that it refuses.</p>',
].join('');

/** Puts the page in front of a pipeline. Whoever is not a browser gets the pipeline's answer. */
export function withFrontPage(pipeline: CodecPipeline): CodecPipeline {
  return async (request) => {
    const asksForPage =
      request.method === 'GET' &&
      request.path === '/' &&
      request.header('origin').length === 0 &&
      request.header('accept').some((accept) => accept.includes('text/html'));
    return asksForPage ? htmlPage(200, TITLE, BODY, request.requestId) : pipeline(request);
  };
}
