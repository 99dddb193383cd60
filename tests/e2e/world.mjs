// The process world for stories in a real browser: relay, nodes, Chromium, an outside authenticator.
// Programs come from the environment: RELAY, NODE_PROGRAM, CHROMIUM; everything else is made in a temporary folder.
import { execFileSync, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, mkdirSync, openSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const fromUi = createRequire(new URL('../../web/ui/package.json', import.meta.url));
const { chromium } = fromUi('playwright-core');
const axeSource = fromUi('axe-core').source;

export const PATIENCE = 120_000;
export const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

export function check(holds, what) {
  if (!holds) throw new Error(`does not hold: ${what}`);
}

/** A port below those that the system hands out by itself: while its server is down, no other connection gets it. */
export async function freePort() {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = randomInt(10_000, 30_000);
    const server = createServer().listen(port, '127.0.0.1');
    try {
      await once(server, 'listening'); // Rejects when the port is taken.
    } catch (error) {
      if (error.code === 'EADDRINUSE') continue;
      throw error;
    }
    server.close();
    await once(server, 'close');
    return port;
  }
  throw new Error('no free port in 100 tries');
}

/** A program with a --ready-json line, that can be killed and started again as it was. */
class Program {
  constructor(path, args, log) {
    Object.assign(this, { path, args, log });
  }
  async start() {
    const log = openSync(this.log, 'a');
    this.child = spawn(this.path, this.args, { stdio: ['ignore', 'pipe', log] });
    const lines = createInterface({ input: this.child.stdout });
    this.ready = await new Promise((ready, failed) => {
      lines.on('line', (line) => {
        if (line.startsWith('{')) ready(JSON.parse(line));
      });
      this.child.once('exit', (code) => failed(new Error(`${this.path} ended with ${code}; see ${this.log}`)));
      setTimeout(() => failed(new Error(`${this.path} is not ready; see ${this.log}`)), PATIENCE).unref();
    });
    return this;
  }
  async kill(signal = 'SIGKILL') {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = once(this.child, 'exit');
    this.child.kill(signal);
    await gone;
  }
}

/** A code from oathtool: an authenticator that we did not write. `ahead` counts steps of thirty seconds. */
export function code(setupKey, ahead = 0) {
  const at = Math.floor(Date.now() / 1000) + 30 * ahead;
  return execFileSync('oathtool', ['--totp', '-b', setupKey, '-N', `@${at}`]).toString().trim();
}

export class World {
  static async make() {
    const world = new World();
    world.folder = mkdtempSync(join(tmpdir(), 'livechat-e2e-'));
    world.programs = [];
    world.people = [];
    // What must stay empty to the end.
    world.complaints = [];
    return world;
  }

  folderOf(name) {
    const path = join(this.folder, name);
    mkdirSync(path, { recursive: true });
    return path;
  }

  async relay() {
    const folder = this.folderOf('relay');
    const [http, p2p] = [await freePort(), await freePort()];
    const args = ['serve', '--ready-json', '--http', `127.0.0.1:${http}`, '--data-dir', folder];
    args.push('--p2p', `/ip4/127.0.0.1/tcp/${p2p}`);
    const relay = await new Program(process.env.RELAY, args, join(folder, 'log')).start();
    relay.url = `http://127.0.0.1:${http}`;
    this.programs.push(relay);
    return relay;
  }

  async node(name, relay, more = []) {
    const folder = this.folderOf(name);
    const args = ['--ready-json', '--listen', `127.0.0.1:${await freePort()}`, '--relay', relay.url];
    args.push('--data-dir', folder, ...more);
    const node = await new Program(process.env.NODE_PROGRAM, args, join(folder, 'log')).start();
    this.programs.push(node);
    return node;
  }

  /** A browser of one's own, opened at the node's one-time link. */
  async browser(name, node, { args = [], before = null, ...options } = {}) {
    const context = await chromium.launchPersistentContext(join(this.folderOf(name), 'chromium'), {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      headless: true,
      args: [
        '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
        '--disable-component-update', '--disable-sync', ...args,
      ],
      ...options,
    });
    const page = context.pages()[0] ?? (await context.newPage());
    const origin = new URL(node.ready.link).origin;
    page.on('console', (message) => {
      const text = message.text();
      if (/Content.Security.Policy|TrustedHTML|TrustedScript/i.test(text)) this.complaints.push(`${name}: ${text}`);
    });
    page.on('pageerror', (error) => this.complaints.push(`${name}: ${error}`));
    page.on('request', (request) => {
      const url = request.url();
      const own = url.startsWith(origin) || url.startsWith(origin.replace('http', 'ws'));
      if (!own && !/^(data|blob|about):/.test(url)) this.complaints.push(`${name}: a request to ${url}`);
    });
    await page.addInitScript(() => {
      globalThis.violations = [];
      document.addEventListener('securitypolicyviolation', (e) => {
        globalThis.violations.push(`${e.violatedDirective} ${e.blockedURI}`);
      });
    });
    if (before) await page.addInitScript(before);
    page.setDefaultTimeout(PATIENCE);
    await page.goto(node.ready.link);
    this.people.push({ name, page, context });
    return page;
  }

  /** axe on the page once nothing moves in it any more; what it finds is a complaint. */
  async axe(name, page, where) {
    await page.evaluate(() => {
      const ends = (a) => a.effect?.getTiming().iterations !== Infinity;
      return Promise.all(document.getAnimations().filter(ends).map((a) => a.finished.catch(() => {})));
    });
    // By the debugger's door: the page's own policy rightly refuses foreign script.
    const results = await page.evaluate(`${axeSource}; axe.run(document, { resultTypes: ['violations'] })`);
    for (const v of results.violations) {
      this.complaints.push(`${name}, ${where}: axe ${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
    }
    return results.passes?.length ?? 0;
  }

  async close() {
    for (const { name, page, context } of this.people) {
      const violations = await page.evaluate(() => globalThis.violations).catch(() => []);
      this.complaints.push(...violations.map((v) => `${name}: CSP ${v}`));
      await context.close();
    }
    for (const program of this.programs) await program.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
