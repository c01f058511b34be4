/** `flowgate keys generate`: a key pair for the endpoint. */
import { passphraseFromEnv } from '../config/command-settings.ts';
import { generateKeyFiles } from './credentials.ts';

export function generateKeys({ out }: { out: string }): void {
  const passphrase = passphraseFromEnv();
  const { privateKeyFile, publicKeyFile } = generateKeyFiles(out, passphrase);
  const encryption = passphrase ? 'encrypted with PASSPHRASE' : 'not encrypted: set PASSPHRASE to have it encrypted';
  console.log(`private key  ${privateKeyFile}  (${encryption})\npublic key   ${publicKeyFile}\n`);
  console.log(`Give the server   PRIVATE_KEY_FILE=${privateKeyFile}`);
  console.log('Give Meta         the public key, for each phone number that sends the Flow:');
  console.log('  curl -X POST "https://graph.facebook.com/v25.0/$PHONE_NUMBER_ID/whatsapp_business_encryption" \\');
  console.log(`    -H "Authorization: Bearer $GRAPH_TOKEN" --data-urlencode "business_public_key@${publicKeyFile}"`);
}
