import { defineConfig } from "vitest/config";

// Apart from vite.config.ts, which a build without development packages must be able to read.
export default defineConfig({
  test: {
    environment: "happy-dom",
    setupFiles: ["test/setup.ts"],
    restoreMocks: true,
    // Nothing here measures time: a busy machine only has to get there.
    testTimeout: 60_000,
  },
});
