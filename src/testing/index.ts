/** The test kit: `import { createPhone } from 'flowgate/testing'`. */
export { type EncryptedMedia, encryptMedia, type PickedMediaJson, type PickedMediaOptions } from './media.ts';
export { createPhone, type OpenOptions, Phone, type PhoneOptions, type PhoneReply, type PhoneScreen } from './phone.ts';
export { PhoneError } from './phone-error.ts';
export type { ServerTarget, TenantTarget, WireReply } from './target.ts';
export { delivery, MAX_BATCH, toWireText } from './webhook-bodies.ts';
export {
  type Business,
  buttonReply,
  type EventOptions,
  type FlowAlertName,
  type FlowsEvent,
  flowAlert,
  image,
  listReply,
  type MediaType,
  type MessageOptions,
  type MessageStatus,
  type MessagesEvent,
  type MetaEvent,
  media,
  message,
  nfmReply,
  type StatusOptions,
  type SystemChange,
  statusUpdate,
  systemMessage,
  TEST_BUSINESS,
  TEST_USER,
  textMessage,
  type WhatsAppUser,
} from './webhook-events.ts';
export type { Deliverable, DeliverOptions, RawDeliverOptions, SenderOptions } from './webhook-sender.ts';
export { type Envelope, type SealedRequest, sealRequest, sign } from './wire.ts';
