import { describe, expect, it } from "vitest";
import { textBytes } from "../src/state/pending";
import { guard, parseRoute, pathOf } from "../src/state/route";
import { dayLabel, listTime, sameDay } from "../src/text/dates";
import { emojiOnly } from "../src/text/emoji";
import { linkify } from "../src/text/linkify";
import { rows, shownTime, unreadStart } from "../src/text/rows";
import { CHAT, message, status, TICKET } from "./node";

const links = (text: string) => linkify(text).flatMap((p) => (p.href ? [p.text] : []));

describe("addresses in text", () => {
  it("are found without the sentence around them", () => {
    expect(links("see https://a.example/x, and http://b.example.")).toEqual([
      "https://a.example/x",
      "http://b.example",
    ]);
    expect(links("(https://a.example/w_(x))")).toEqual(["https://a.example/w_(x)"]);
    expect(links("[https://a.example/?q=1&r=%20]!")).toEqual(["https://a.example/?q=1&r=%20"]);
    expect(links("“https://a.example”")).toEqual(["https://a.example"]);
  });

  it("are web addresses only, and lead where they read", () => {
    for (const text of [
      "javascript:alert(1)",
      "data:text/html,x",
      "JaVaScRiPt://a.example/%0aalert(1)",
      "vbscript:x",
      "file:///etc/passwd",
      "https://bank.example@evil.example/",
      "https://",
      "http://[",
    ]) {
      expect(links(text), text).toEqual([]);
    }
    for (const { href } of linkify("https://a.example/ http://b.example/")) {
      if (href) expect(href).toMatch(/^https?:\/\//);
    }
  });

  it("end at characters that turn or hide text", () => {
    expect(links("https://a.example/\u202egpj.exe")).toEqual(["https://a.example/"]);
    expect(links("https://a.example/\u200bx")).toEqual(["https://a.example/"]);
  });

  it("leave every character of the text where it was", () => {
    const pieces = [
      "https://a.example",
      " ",
      ".",
      "(",
      ")",
      "<b>",
      "\n",
      "é",
      "😀",
      "http://",
      "x@y",
      "\u202e",
      "]",
      "?!",
    ];
    let seed = 7;
    const dice = () => {
      seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
      return seed;
    };
    for (let i = 0; i < 2_000; i += 1) {
      const text = Array.from({ length: dice() % 9 }, () => pieces[dice() % pieces.length]).join("");
      expect(
        linkify(text)
          .map((p) => p.text)
          .join(""),
      ).toBe(text);
    }
  });
});

describe("dates", () => {
  const now = new Date(2026, 4, 13, 12).getTime();
  it("are said as people say them", () => {
    expect(dayLabel(now, now)).toBe("Today");
    expect(dayLabel(new Date(2026, 4, 12, 23, 59).getTime(), now)).toBe("Yesterday");
    expect(dayLabel(new Date(2026, 4, 9).getTime(), now)).toBe(
      new Intl.DateTimeFormat(undefined, { weekday: "long" }).format(new Date(2026, 4, 9)),
    );
    expect(dayLabel(new Date(2024, 0, 1).getTime(), now)).toContain("2024");
    expect(listTime(new Date(2024, 0, 1).getTime(), now)).toContain("24");
    // A clock ahead of ours is no reason to say nothing.
    expect(dayLabel(now + 9 * 86_400_000, now)).toContain("2026");
  });
  it("know a day by the calendar here", () => {
    expect(sameDay(new Date(2026, 4, 13, 0, 0).getTime(), new Date(2026, 4, 13, 23, 59).getTime())).toBe(
      true,
    );
    expect(sameDay(new Date(2026, 4, 13, 0, 0).getTime(), new Date(2026, 4, 12, 23, 59).getTime())).toBe(
      false,
    );
  });
});

describe("rows", () => {
  const at = (minute: number) => new Date(2026, 4, 13, 10, minute).getTime();
  const said = (minute: number, own = false) =>
    message("x", { own, sent_at: at(minute), received_at: at(minute) });

  it("stand together when one author writes in quick succession", () => {
    const list = rows([said(0), said(1), said(20), said(21, true), said(22)], [], null);
    expect(list.map((r) => [r.opens, r.closes])).toEqual([
      [true, false],
      [false, true],
      [true, true],
      [true, true],
      [true, true],
    ]);
    expect(list.map((r) => r.newDay)).toEqual([true, false, false, false, false]);
  });

  it("show a message once while it moves from waiting to stored", () => {
    const stored = said(0, true);
    const list = rows([stored], [{ id: stored.id, text: "x", written: at(0) }], null);
    expect(list.map((r) => r.key)).toEqual([stored.id]);
  });

  it("don't believe an author's clock that is ahead", () => {
    expect(shownTime(message("x", { sent_at: 9e15, received_at: 5 }))).toBe(5);
    expect(shownTime(message("x", { sent_at: 3, received_at: 5 }))).toBe(3);
  });

  it("mark where the unread ones begin", () => {
    const list = [said(0), said(1, true), said(2), said(3)];
    expect(unreadStart(list, 2)).toBe(list[2]?.position);
    expect(unreadStart(list, 0)).toBeNull();
    expect(unreadStart(list, 99)).toBe(list[0]?.position);
    expect(unreadStart([], 3)).toBeNull();
  });
});

describe("emoji", () => {
  it("alone are drawn large", () => {
    for (const text of ["😀", "👍🏽 🎉", "👩‍👩‍👧‍👦", "🇩🇪", "❤️"]) expect(emojiOnly(text), text).toBe(true);
    for (const text of ["", " ", "a😀", "123", "😀😀😀😀", "#"]) expect(emojiOnly(text), text).toBe(false);
  });
});

describe("texts", () => {
  it("are measured as the wire does", () => {
    expect(textBytes("aé😀")).toBe(7);
  });
});

describe("guards (seed A5)", () => {
  const { account: active } = status();
  const cases = [
    [
      { state: "none" },
      { "/": "/signup", "/login": "/login", "/signup": "/signup", [`/chat/${CHAT}`]: "/signup" },
    ],
    [
      { state: "pending", ticket: TICKET },
      { "/": "/signup", "/login": "/signup", "/signup": "/signup" },
    ],
    [
      { state: "logged_out", username: "a" },
      { "/": "/login", "/signup": "/login", [`/chat/${CHAT}`]: "/login" },
    ],
    [
      active,
      { "/": "/", "/login": "/", "/signup": "/", [`/chat/${CHAT}`]: `/chat/${CHAT}`, "/nonsense": "/" },
    ],
  ] as const;
  it.each(cases)("of %o", (account, leads) => {
    for (const [from, to] of Object.entries(leads)) {
      expect(pathOf(guard(parseRoute(from), account, false)), from).toBe(to);
    }
  });
  it("show recovery codes before anything else", () => {
    expect(pathOf(guard({ name: "home" }, active, true))).toBe("/signup");
  });
});
