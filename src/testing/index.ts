/** The test kit: `import { createPhone } from 'flowgate/testing'`. */
export { createPhone, Phone, PhoneError, type PhoneOptions, type PhoneReply, type PhoneScreen } from './phone.ts';
export type { ServerTarget } from './target.ts';
export { type Envelope, type SealedRequest, sealRequest, sign } from './wire.ts';
