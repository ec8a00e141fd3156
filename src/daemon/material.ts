/** What the demo delivers: recorded GitHub payloads, and how to sign them. */
export { RECORDED_DELIVERIES, type RecordedDelivery } from '../gateways/github/recorded/index.ts';
export { signDelivery } from '../gateways/github/signature.ts';
