/**
 * Clocks that a test moves on while the process stands still, as Lambda freezes an instance between
 * two requests. Loaded before the function. `TEST_CLOCK_FILE` holds how far they have moved: a number of
 * milliseconds, eight bytes, little endian.
 *
 * Wall clock, monotonic clock and timers move together: timers that fell due meanwhile run first when
 * the process goes on, before anything that arrived on a socket, as in Node's own event loop.
 */
const { openSync, readSync } = process.getBuiltinModule('node:fs');

const file = openSync(process.env.TEST_CLOCK_FILE, 'r');
delete process.env.TEST_CLOCK_FILE;
const bytes = Buffer.alloc(8);
const RealDate = Date;
const realNow = Date.now;
const realPerformanceNow = performance.now.bind(performance);
const { setTimeout: realSetTimeout, clearTimeout: realClearTimeout, setInterval: realSetInterval } = globalThis;

function offset() {
  readSync(file, bytes, 0, 8, 0);
  return bytes.readDoubleLE();
}

globalThis.Date = class MovedDate extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(realNow() + offset());
    else super(...parts);
  }
  static now() {
    return realNow() + offset();
  }
};
performance.now = () => realPerformanceNow() + offset();

const pending = new Set();

class MovedTimer {
  constructor(action, ms, repeats) {
    this.action = action;
    this.ms = Math.max(1, Number(ms) || 1);
    this.repeats = repeats;
    this.held = true;
    this.arm();
  }
  arm() {
    this.due = realPerformanceNow() + offset() + this.ms;
    pending.add(this);
    realClearTimeout(this.real);
    this.real = realSetTimeout(() => this.fire(), this.ms);
    if (!this.held) this.real.unref();
  }
  fire() {
    this.close();
    if (this.repeats) this.arm();
    this.action();
  }
  close() {
    pending.delete(this);
    realClearTimeout(this.real);
    return this;
  }
  refresh() {
    this.arm();
    return this;
  }
  ref() {
    this.held = true;
    this.real.ref();
    return this;
  }
  unref() {
    this.held = false;
    this.real.unref();
    return this;
  }
  hasRef() {
    return this.held;
  }
  [Symbol.toPrimitive]() {
    return Number(this.real[Symbol.toPrimitive]());
  }
  [Symbol.dispose]() {
    this.close();
  }
}

globalThis.setTimeout = (action, ms, ...args) => new MovedTimer(() => action(...args), ms, false);
globalThis.setInterval = (action, ms, ...args) => new MovedTimer(() => action(...args), ms, true);
globalThis.clearTimeout = (timer) => (timer instanceof MovedTimer ? void timer.close() : realClearTimeout(timer));
globalThis.clearInterval = globalThis.clearTimeout;
AbortSignal.timeout = (ms) => {
  const controller = new AbortController();
  setTimeout(() => controller.abort(new DOMException('The operation timed out', 'TimeoutError')), ms).unref();
  return controller.signal;
};

let seen = offset();
realSetInterval(() => {
  const moved = offset();
  if (moved === seen) return;
  seen = moved;
  const now = realPerformanceNow() + moved;
  const due = [...pending].filter((timer) => timer.due <= now).sort((a, b) => a.due - b.due);
  for (const timer of due) if (pending.has(timer)) timer.fire();
}, 2).unref();
