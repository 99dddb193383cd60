import type { Plugin } from "vite";
import { defineConfig } from "vite";

/** Addresses that libraries mention but that nothing here may ever ask: left out of what we ship (seed B19). */
const FOREIGN: [string, string][] = [
  ["https://cdn.jsdelivr.net/npm/emojibase-data", "/no-foreign-data"],
  ["https://react.dev/errors/", "react.dev/errors/"],
];

function nothingForeign(): Plugin {
  return {
    name: "nothing-foreign",
    generateBundle(_options, bundle) {
      for (const [name, file] of Object.entries(bundle)) {
        if (file.type === "chunk") {
          for (const [from, to] of FOREIGN) file.code = file.code.replaceAll(from, to);
        }
        const text = file.type === "chunk" ? file.code : file.source.toString();
        for (const [address] of text.matchAll(/https?:\/\/[^\s"'`)]*/g)) {
          if (!address.startsWith("http://www.w3.org/")) this.error(`${name} mentions ${address}`);
        }
      }
    },
  };
}

export default defineConfig({
  plugins: [nothingForeign()],
  // The server puts a fresh value in the placeholder's place with every page.
  html: { cspNonce: "__CSP_NONCE__" },
  build: {
    target: "es2022",
    modulePreload: false,
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 800,
    rolldownOptions: {
      // "use client" speaks to servers that render React; there is none here.
      onLog: (level, log, handle) => {
        if (log.code !== "MODULE_LEVEL_DIRECTIVE") handle(level, log);
      },
    },
  },
});
