/** The size of a DNS answer with TXT records (RFC 1035, section 4; RFC 7208, section 3.4). */

/** What every resolver takes over UDP, in bytes. */
export const answerLimit = 512;

const header = 12;
/** Type and class. */
const questionTail = 4;
/** A pointer to the name, type, class, TTL and the length of the data. */
const recordHead = 12;
const longestString = 255;

/** In bytes, without EDNS. Each text is sent in strings of up to 255 bytes. */
export function measureAnswer(domain: string, texts: readonly string[]): number {
  const question = domain.length + 2 + questionTail;
  const records = texts.map((text) => {
    const strings = Math.max(1, Math.ceil(text.length / longestString));
    return recordHead + strings + text.length;
  });
  return header + question + records.reduce((sum, size) => sum + size, 0);
}
