import { cleanup, configure } from "@testing-library/react";
import { afterEach, beforeEach } from "vitest";

configure({ asyncUtilTimeout: 20_000 });

// happy-dom lays nothing out: every element gets a size, so that the virtual list draws.
const size = (pixels: number) => ({ configurable: true, get: () => pixels });
Object.defineProperty(HTMLElement.prototype, "offsetHeight", size(600));
Object.defineProperty(HTMLElement.prototype, "offsetWidth", size(800));
Object.defineProperty(HTMLElement.prototype, "clientHeight", size(600));
Object.defineProperty(HTMLElement.prototype, "offsetParent", {
  configurable: true,
  get(this: HTMLElement) {
    return this.parentElement;
  },
});

class ResizeOnce implements ResizeObserver {
  private readonly tell: ResizeObserverCallback;
  constructor(tell: ResizeObserverCallback) {
    this.tell = tell;
  }
  observe(target: Element): void {
    const height = target.classList.contains("scroller") ? 6_000 : 60;
    const contentRect = { height, width: 800 } as DOMRectReadOnly;
    const box = [{ blockSize: height, inlineSize: 800 }];
    const entry = {
      target,
      contentRect,
      contentBoxSize: box,
      borderBoxSize: box,
      devicePixelContentBoxSize: box,
    };
    queueMicrotask(() => this.tell([entry], this));
  }
  unobserve(): void {}
  disconnect(): void {}
}
globalThis.ResizeObserver = ResizeOnce;

beforeEach(() => {
  window.history.replaceState(null, "", "/");
});

afterEach(() => {
  cleanup();
});
