/** A token that reads as one of the app's own, and that it never minted. */
import { toBase64 } from '../wire/base64.ts';

const TOKEN_BYTES = 24; // 32 characters of base64url

export function deadToken(flow: string): string {
  const random = toBase64(crypto.getRandomValues(new Uint8Array(TOKEN_BYTES)));
  return `${flow}:${random.replaceAll('+', '-').replaceAll('/', '_')}`;
}
