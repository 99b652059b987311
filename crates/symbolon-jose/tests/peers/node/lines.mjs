// A JSON line in, a JSON line out: what examples/peer.rs speaks, for the Node peers.

import { createInterface } from 'node:readline';

/** Answers each line with the handler that its "do" names. */
export async function serve(handlers) {
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    let answer;
    try {
      answer = await handlers[request.do](request);
    } catch (error) {
      // Whatever a library throws is its answer.
      answer = { error: `${error.name}: ${error.message}` };
    }
    process.stdout.write(`${JSON.stringify(answer)}\n`);
  }
}
