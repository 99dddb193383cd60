const MOST = 3;
const EMOJI = /^(?:\p{Extended_Pictographic}|\p{Regional_Indicator}{2}|[0-9#*]\ufe0f?\u20e3)/u;

/** Whether a message is nothing but up to three emoji, which are then drawn large. */
export function emojiOnly(text: string): boolean {
  const trimmed = text.trim();
  if (trimmed === "" || trimmed.length > 60) return false;
  const signs = [...new Intl.Segmenter().segment(trimmed.replaceAll(" ", ""))];
  return signs.length <= MOST && signs.every(({ segment }) => EMOJI.test(segment));
}
