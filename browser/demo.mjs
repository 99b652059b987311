// The demo as a child process: started on free ports, stopped by its id.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Starts `binary demo` and gives what it printed, how long that took, and `stop`. */
export async function startDemo(binary, log) {
  const port = await threeFreePorts();
  const data = mkdtempSync(join(tmpdir(), 'symbolon-browser-'));
  const began = performance.now();
  const child = spawn(binary, ['demo', '--json', '--port', String(port), '--data', join(data, 'data')], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? code));
    child.once('error', (error) => resolve(error.message));
  });
  child.stderr.on('data', (bytes) => log.write(bytes));

  const stop = async () => {
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), 15_000);
    const how = await ended;
    clearTimeout(late);
    rmSync(data, { recursive: true, force: true });
    return { how, left: await listening(port) };
  };

  try {
    const said = await firstObject(child.stdout, ended);
    return { ...said, readyAfter: performance.now() - began, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** The first complete JSON object of a stream; an error if the process ends or a minute passes. */
function firstObject(stream, ended) {
  return new Promise((resolve, reject) => {
    let text = '';
    const late = setTimeout(() => reject(new Error('the demo was not ready after 60 s')), 60_000);
    ended.then((how) => reject(new Error(`the demo ended before it was ready (${how}); see build/browser.log`)));
    stream.setEncoding('utf8');
    stream.on('data', (chunk) => {
      text += chunk;
      try {
        resolve(JSON.parse(text));
        clearTimeout(late);
      } catch {
        // Not all of it yet.
      }
    });
  });
}

/** The first of three ports in a row that nobody listens on. */
async function threeFreePorts() {
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    const free = await Promise.all([port, port + 1, port + 2].map(isFree));
    if (free.every(Boolean)) return port;
  }
  throw new Error('no three free ports in a row between 20000 and 30000');
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Which of the demo's three ports somebody still answers on. */
async function listening(port) {
  const ports = [port, port + 1, port + 2];
  const answers = await Promise.all(ports.map((one) => answersOn(one)));
  return ports.filter((_, at) => answers[at]);
}

function answersOn(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
