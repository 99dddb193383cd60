// Cuts emojibase-data (MIT) down to what the picker shows: `node scripts/emoji.mjs <unpacked emojibase-data>`.
// Up to Emoji 15.0, so that a system font of the last years draws every one of them.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const NEWEST = 15;
const TONES = ["light", "medium-light", "medium", "medium-dark", "dark"];
const source = process.argv[2];
const read = (name) => JSON.parse(readFileSync(join(source, "en", name), "utf8"));
const capital = (text) => text[0].toUpperCase() + text.slice(1);
const messages = read("messages.json");

const emojis = read("data.json")
  .filter((e) => "group" in e && e.version <= NEWEST)
  .map((e) => {
    const tones = (e.skins ?? []).filter((s) => typeof s.tone === "number");
    return {
      emoji: e.emoji,
      category: e.group,
      version: e.version,
      label: capital(e.label),
      tags: e.tags ?? [],
      ...(tones.length === TONES.length && {
        skins: Object.fromEntries(tones.map((s) => [TONES[s.tone - 1], s.emoji])),
      }),
    };
  });
const categories = messages.groups
  .filter((g) => g.key !== "component")
  .map((g) => ({ index: g.order, label: capital(g.message) }));
const skinTones = Object.fromEntries(messages.skinTones.map((t) => [t.key, capital(t.message)]));
writeFileSync("src/emoji/en.json", `${JSON.stringify({ locale: "en", emojis, categories, skinTones })}\n`);
