export type Theme = "system" | "light" | "dark";

const KEY = "livechat.theme";

/** What was chosen in this browser. */
export function chosenTheme(): Theme {
  try {
    const value = localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}

export function chooseTheme(theme: Theme): void {
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
  document.documentElement.dataset.theme = theme;
}

/** Before the first paint. */
export function applyTheme(): void {
  document.documentElement.dataset.theme = chosenTheme();
}
