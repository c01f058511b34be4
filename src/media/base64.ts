/** Base64 as it is meant to be: the standard alphabet, padded, and of the one length that is expected. */

/** @returns undefined for anything but the canonical base64 of `byteLength` bytes. */
export function decodeBase64(value: unknown, byteLength: number): Buffer | undefined {
  if (typeof value !== 'string' || value.length !== Math.ceil(byteLength / 3) * 4) return undefined;
  const bytes = Buffer.from(value, 'base64');
  return bytes.length === byteLength && bytes.toString('base64') === value ? bytes : undefined;
}

/** SHA-256 as Meta writes it: in hexadecimal by the Graph API, in base64 by webhooks. */
export function decodeSha256(value: unknown): Buffer | undefined {
  if (typeof value === 'string' && /^[0-9a-f]{64}$/i.test(value)) return Buffer.from(value, 'hex');
  return decodeBase64(value, 32);
}
