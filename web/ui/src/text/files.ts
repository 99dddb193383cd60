/** How much that is, as people say it. */
export function amount(bytes: number): string {
  const units: [number, string][] = [
    [2 ** 30, "GB"],
    [2 ** 20, "MB"],
    [2 ** 10, "KB"],
  ];
  const unit = units.find(([size]) => bytes >= size);
  if (!unit) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  const n = bytes / unit[0];
  return `${n < 10 ? (Math.floor(n * 10) / 10).toFixed(1) : Math.floor(n)} ${unit[1]}`;
}

/** A preview as an address the page may show: base64url from the node, base64 for the browser. */
export function previewUrl(preview: string): string {
  return `data:image/jpeg;base64,${preview.replace(/-/g, "+").replace(/_/g, "/")}`;
}
