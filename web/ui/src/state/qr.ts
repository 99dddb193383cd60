import { Refused } from "../net/connection";

/** The longer side of a picture in which a code is looked for, in pixels: codes are read at less. */
const SIDE = 1_000;

/** The text of the QR code in a picture. The browser decodes the picture; the node sees shades of grey. */
export async function readCode(file: Blob): Promise<string> {
  const { width, pixels } = await greys(file);
  const answer = await fetch("/api/qr", {
    method: "POST",
    headers: { "Content-Type": "application/octet-stream", "Livechat-Width": `${width}` },
    body: pixels,
  });
  if (answer.ok) return answer.text();
  throw noCode("There is no code to be read in that picture.");
}

async function greys(file: Blob): Promise<{ width: number; pixels: Uint8Array<ArrayBuffer> }> {
  const picture = await createImageBitmap(file).catch(() => {
    throw noCode("That isn't a picture.");
  });
  const scale = Math.min(1, SIDE / Math.max(picture.width, picture.height));
  const width = Math.max(1, Math.round(picture.width * scale));
  const height = Math.max(1, Math.round(picture.height * scale));
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const drawing = canvas.getContext("2d");
  if (!drawing) throw noCode("This browser can't look into pictures.");
  drawing.fillStyle = "#fff";
  drawing.fillRect(0, 0, width, height);
  drawing.drawImage(picture, 0, 0, width, height);
  picture.close();
  const { data } = drawing.getImageData(0, 0, width, height);
  const pixels = new Uint8Array(width * height);
  for (let i = 0; i < pixels.length; i += 1) {
    const at = 4 * i;
    pixels[i] = ((data[at] ?? 0) * 3 + (data[at + 1] ?? 0) * 6 + (data[at + 2] ?? 0)) / 10;
  }
  return { width, pixels };
}

function noCode(message: string): Refused {
  return new Refused({
    code: "bad_text",
    message,
    hint: "Take a sharp one of the whole code, or paste the text below it.",
    retry_after: null,
  });
}
